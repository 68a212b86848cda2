"""Compares `tarsier plan --train` with the memory a training step takes: one decoder layer and one vision block of
Tarsier2-7B's shape. Run by hand, on a machine with 8 GiB free.

Usage: python3 tools/plan_check.py [--tarsier build/release/bin/tarsier] [--clips 8] [--dtype f32] [--recompute]

The measured figure is the peak resident memory of a run of two steps less that of the same run with a network of no size.
Exits with 1 when plan and measurement differ by more than a tenth. Needs no package outside Python's own library.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets" / "tarsier-nano"
WIDE = {
    "text_config": {
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
    },
    "vision_config": {"embed_dim": 1280, "num_heads": 16, "hidden_size": 3584},
    "sections": [16, 24, 24],
}
TINY = {
    "text_config": {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2},
    "vision_config": {"embed_dim": 16, "num_heads": 2, "hidden_size": 32},
    "sections": [2, 1, 1],
}
WORDS = "a red circle moves left . "
STEPS = 2


def make_model(folder, sizes):
    folder.mkdir()
    for file in ASSETS.iterdir():
        if file.suffix in (".json", ".jinja"):
            shutil.copy(file, folder)
    config = json.loads((ASSETS / "config.json").read_text())
    config["text_config"].update(sizes["text_config"], num_hidden_layers=1, tie_word_embeddings=False)
    config["text_config"]["rope_scaling"] = {"type": "mrope", "mrope_section": sizes["sections"]}
    config["vision_config"].update(sizes["vision_config"], depth=1)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    return folder


def peak_of(command):
    """Bytes of resident memory at its peak."""
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: failed with status {status}")
    return usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tarsier", default=ROOT / "build" / "release" / "bin" / "tarsier", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=25, help="of a short sentence, in each answer")
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--recompute", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        program = arguments.tarsier
        synth = [program, "data", "synth", "--quiet", "--level", "base", "--clips", "1", "--out", folder / "clips"]
        subprocess.run(synth, check=True, stdout=subprocess.DEVNULL)
        clip = folder / "clips" / "000000.mp4"
        video = {"type": "video", "video": {"video_file": str(clip)}}
        row = {
            "messages": [
                {"role": "user", "content": [video, {"type": "text", "text": "Describe the video in detail."}]},
                {"role": "assistant", "content": [{"type": "text", "text": WORDS * arguments.repeats}]},
            ]
        }
        (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
        recipe = {
            "random_weights": 1,
            "compute": arguments.dtype,
            "log_every": 1,
            "stages": [
                {
                    "name": "all",
                    "steps": STEPS,
                    "clips_per_step": arguments.clips,
                    "accumulate": arguments.accumulate,
                    "data": {"jsonl": {"file": "rows.jsonl", "frames": 8}},
                }
            ],
        }
        if arguments.recompute:
            recipe["recompute"] = True
        peaks = {}
        for name, sizes in (("tiny", TINY), ("wide", WIDE)):
            recipe["model"] = str(make_model(folder / name, sizes))
            (folder / "recipe.jsonc").write_text(json.dumps(recipe))
            run = folder / f"run_{name}"
            train = [program, "train", "sft", "--quiet", "--recipe", folder / "recipe.jsonc", "--out", run]
            peaks[name] = peak_of(train)
            metrics = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
            shutil.rmtree(run)
        tokens = metrics["tokens_per_second"] / metrics["clips_per_second"]
        plan = [program, "plan", "--train", "--json", "--model", folder / "wide", "--frames", "8", clip]
        plan += ["--clips", arguments.clips, "--accumulate", arguments.accumulate, "--dtype", arguments.dtype]
        if arguments.recompute:
            plan.append("--recompute")
        # The answer is as long as what the run saw is longer than a prompt.
        prompt = planned(plan, 1)["tokens"] - 1
        plan = planned(plan, round(tokens) - prompt)
        measured = peaks["wide"] - peaks["tiny"]
        for key, value in plan.items():
            if key.endswith("_bytes"):
                print(f"{key:22} {value / 2**20:9.1f} MiB")
        print(f"{plan['parameters']} parameters, {arguments.clips} clips of {plan['tokens']} tokens")
        share = plan["total_bytes"] / measured
        print(f"measured {measured / 2**20:.0f} MiB, planned {plan['total_bytes'] / 2**20:.0f} MiB: {share:.3f}")
        if not 0.9 <= share <= 1.1:
            sys.exit("plan and measurement differ by more than a tenth")


def planned(command, answer_tokens):
    words = [str(word) for word in command] + ["--answer-tokens", str(answer_tokens)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (12 << 30, 12 << 30))
    main()
