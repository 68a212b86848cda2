"""Compares our tokenizers with the Python libraries on random texts and ids, id for id.

Usage: PYTHON tools/tokenizer_check.py DRIVER [--count 100000] [--seed 0] [--only KIND ...]

DRIVER is the built tests/text/tokenizer_driver (cmake --build ... --target tokenizer_driver); PYTHON has the packages that
tools/fixtures/llama_tokenizers.py names. Every KIND of that file is trained and written to a temporary folder; then COUNT
texts are encoded plain, COUNT / 4 each with special tokens as text and with begin tokens, and COUNT / 2 lists of ids are
decoded. COUNT / 10 texts are broken so that they are not UTF-8, which must be refused. Exits 1 when anything differs.
"""

import argparse
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "fixtures"))
from llama_tokenizers import KINDS, Reference, llama_model, random_text, write_folder, yi_model

REFUSED = 0xFFFFFFFF


def run_driver(driver: str, folder: pathlib.Path, requests: list[tuple[bytes, bytes]]) -> list[bytes | None]:
    data = b"".join(kind + struct.pack("<I", len(payload)) + payload for kind, payload in requests)
    out = subprocess.run([driver, str(folder)], input=data, stdout=subprocess.PIPE, check=True).stdout
    answers, at = [], 0
    while at < len(out):
        (size,) = struct.unpack_from("<I", out, at)
        at += 4
        answers.append(None if size == REFUSED else out[at : at + size])
        at += 0 if size == REFUSED else size
    if len(answers) != len(requests):
        sys.exit(f"{folder.name}: {len(requests)} requests, {len(answers)} answers")
    return answers


def pack(ids: list[int]) -> bytes:
    return struct.pack(f"<{len(ids)}I", *ids)


def broken(text: bytes, rng: random.Random) -> bytes:
    """Not UTF-8: a byte that begins nothing, a surrogate, an overlong form, or half a character."""
    at = rng.choice([i for i in range(len(text) + 1) if i == len(text) or text[i] & 0xC0 != 0x80])
    return (
        text[:at]
        + rng.choice([b"\xff", b"\x80", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd"])
        + text[at:]
    )


def check_kind(driver: str, name: str, folder: pathlib.Path, count: int, seed: int) -> int:
    reference = Reference(name, folder)
    rng = random.Random(f"{name} {seed}")
    requests: list[tuple[bytes, bytes]] = []
    expected: list[bytes | None] = []

    def expect(kind: str, payload: bytes, answer: bytes | None) -> None:
        requests.append((kind.encode(), payload))
        expected.append(answer)

    for i in range(count):
        text = random_text(rng)
        payload = text.encode()
        expect("e", payload, pack(reference.encode(text)))
        if i % 4 == 0:
            expect("b", payload, pack(reference.encode_with_bos(text)))
            as_text = reference.encode_as_text(text)
            if as_text is not None:
                expect("t", payload, pack(as_text))
        if i % 10 == 0:
            expect("e", broken(payload, rng), None)
        if i % 2 == 0:
            ids = reference.random_ids(rng)
            expect("d", pack(ids), reference.decode(ids).encode())
            if reference.fast:
                expect("D", pack(ids), reference.decode(ids, False).encode())
    answers = run_driver(driver, folder, requests)
    different = [i for i, answer in enumerate(answers) if answer != expected[i]]
    for i in different[:5]:
        print(f"  {requests[i]}\n    ours {answers[i]}\n    expected {expected[i]}")
    print(f"{name}: {len(requests)} requests ({count} texts), {len(different)} differ")
    return len(different)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(KINDS), choices=list(KINDS))
    arguments = parser.parse_args()
    models = {"llama": llama_model(), "yi": yi_model()}
    different = 0
    with tempfile.TemporaryDirectory() as root:
        for name in arguments.only:
            begin = time.monotonic()
            model, config, fast = KINDS[name]
            folder = pathlib.Path(root) / name
            write_folder(folder, models[model], config, fast)
            different += check_kind(arguments.driver, name, folder, arguments.count, arguments.seed)
            print(f"  {time.monotonic() - begin:.0f} s", flush=True)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
