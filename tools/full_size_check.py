"""Answers one clip with a checkpoint of random weights in the shape of Tarsier2-7b or Tarsier-7b and reports time and memory.

Usage, by hand: python3 tools/full_size_check.py FOLDER CLIP [--family tarsier] [--tarsier build/release/bin/tarsier]

Writes 16.6 GB (tarsier: 14.1 GB) of bf16 weights into FOLDER (kept for another run; nothing in it is worth anything), in the layout
and with the names and shapes of the published checkpoint, then describes 8 frames with one new token: of at most 112 x 112 pixels for
Tarsier2, of 336 x 336, as it always sees them, for Tarsier.
Needs no package outside Python's own library.
"""

import argparse
import json
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets" / "tarsier-nano"
LLAMA = ROOT / "tests" / "fixtures" / "text" / "llama" / "llama_a"
HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD, FFN, VOCAB = 3584, 28, 28, 4, 128, 18944, 152064
VISION, BLOCKS = 1280, 32
SHARD_BYTES = 5 << 30
BLOCK = 1 << 20  # numbers


def tarsier_shapes():
    """Names and shapes of every tensor, as Tarsier-7b is published."""
    width, hidden, ffn, vocab = 1024, 4096, 11008, 32064
    vision = "vision_tower.vision_model."
    yield vision + "embeddings.class_embedding", [width]
    yield vision + "embeddings.patch_embedding.weight", [width, 3, 14, 14]
    yield vision + "embeddings.position_embedding.weight", [577, width]
    norms = ["pre_layrnorm", "post_layernorm"]
    norms += [f"encoder.layers.{i}.layer_norm{n}" for i in range(24) for n in (1, 2)]
    for norm in norms:
        yield vision + norm + ".weight", [width]
        yield vision + norm + ".bias", [width]
    for i in range(24):
        layer = f"{vision}encoder.layers.{i}."
        linears = [(f"self_attn.{name}_proj", width, width) for name in ("q", "k", "v", "out")]
        for name, rows, columns in [*linears, ("mlp.fc1", 4 * width, width), ("mlp.fc2", width, 4 * width)]:
            yield layer + name + ".weight", [rows, columns]
            yield layer + name + ".bias", [rows]
    for name, columns in (("linear_1", width), ("linear_2", hidden)):
        yield f"multi_modal_projector.{name}.weight", [hidden, columns]
        yield f"multi_modal_projector.{name}.bias", [hidden]
    yield "language_model.model.embed_tokens.weight", [vocab, hidden]
    for i in range(32):
        layer = f"language_model.model.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            yield layer + norm + ".weight", [hidden]
        for name in ("q", "k", "v", "o"):
            yield layer + f"self_attn.{name}_proj.weight", [hidden, hidden]
        yield layer + "mlp.gate_proj.weight", [ffn, hidden]
        yield layer + "mlp.up_proj.weight", [ffn, hidden]
        yield layer + "mlp.down_proj.weight", [hidden, ffn]
    yield "language_model.model.norm.weight", [hidden]
    yield "language_model.lm_head.weight", [vocab, hidden]


def tarsier2_shapes():
    """Names and shapes of every tensor, as Tarsier2 is published."""
    yield "vision_tower.patch_embed.proj.weight", [VISION, 3, 2, 14, 14]
    for i in range(BLOCKS):
        block = f"vision_tower.blocks.{i}."
        for norm in ("norm1", "norm2"):
            yield block + norm + ".weight", [VISION]
            yield block + norm + ".bias", [VISION]
        for name, rows, columns in (
            ("attn.qkv", 3 * VISION, VISION),
            ("attn.proj", VISION, VISION),
            ("mlp.fc1", 4 * VISION, VISION),
            ("mlp.fc2", VISION, 4 * VISION),
        ):
            yield block + name + ".weight", [rows, columns]
            yield block + name + ".bias", [rows]
    yield "vision_tower.merger.ln_q.weight", [VISION]
    yield "vision_tower.merger.ln_q.bias", [VISION]
    for name, rows in (("0", 4 * VISION), ("2", HIDDEN)):
        yield f"vision_tower.merger.mlp.{name}.weight", [rows, 4 * VISION]
        yield f"vision_tower.merger.mlp.{name}.bias", [rows]
    yield "language_model.model.embed_tokens.weight", [VOCAB, HIDDEN]
    for i in range(LAYERS):
        layer = f"language_model.model.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            yield layer + norm + ".weight", [HIDDEN]
        for name, rows in (("q", HEADS * HEAD), ("k", KV_HEADS * HEAD), ("v", KV_HEADS * HEAD)):
            yield layer + f"self_attn.{name}_proj.weight", [rows, HIDDEN]
            yield layer + f"self_attn.{name}_proj.bias", [rows]
        yield layer + "self_attn.o_proj.weight", [HIDDEN, HEADS * HEAD]
        yield layer + "mlp.gate_proj.weight", [FFN, HIDDEN]
        yield layer + "mlp.up_proj.weight", [FFN, HIDDEN]
        yield layer + "mlp.down_proj.weight", [HIDDEN, FFN]
    yield "language_model.model.norm.weight", [HIDDEN]
    yield "language_model.lm_head.weight", [VOCAB, HIDDEN]


def numbers(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def random_block():
    """A megabyte's worth of bf16 numbers of magnitude 1/128 to 1/32, either sign."""
    generator = random.Random(1)
    low, signs = generator.randbytes(BLOCK), generator.randbytes(BLOCK)
    block = bytearray(2 * BLOCK)
    block[0::2] = low
    block[1::2] = bytes(0x3C | (sign & 0x80) for sign in signs)
    return bytes(block)


def write_weights(folder, shapes):
    shards, size = [[]], 0
    for name, shape in shapes:
        if size > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append((name, shape))
        size += 2 * numbers(shape)
    block, ones, weight_map = random_block(), b"\x80\x3f" * BLOCK, {}
    for index, tensors in enumerate(shards, start=1):
        file = f"model-{index:05}-of-{len(shards):05}.safetensors"
        header, offset = {}, 0
        for name, shape in tensors:
            end = offset + 2 * numbers(shape)
            header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
            offset, weight_map[name] = end, file
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(folder / file, "wb") as stream:
            stream.write(len(text).to_bytes(8, "little") + text)
            for name, shape in tensors:
                source = ones if "norm" in name and name.endswith("weight") else block
                left = 2 * numbers(shape)
                while left:
                    left -= stream.write(source[: min(left, len(source))])
        print(f"wrote {file}", file=sys.stderr)
    total = sum(2 * numbers(shape) for _, shape in shapes)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def write_tarsier_settings(folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(LLAMA / name, folder / name)
    config = {
        "model_type": "llava", "image_token_index": 900, "image_newline_idx": 32002, "image_new_idx": 32003,
        "projector_hidden_act": "gelu", "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
        "text_config": {"model_type": "llama", "rms_norm_eps": 1e-5, "vocab_size": 32064, "pad_token_id": 0},
        "vision_config": {
            "model_type": "clip_vision_model", "hidden_size": 1024, "image_size": 336, "intermediate_size": 4096,
            "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14,
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 336}}))


def write_tarsier2_settings(folder):
    for name in (
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "preprocessor_config.json",
        "chat_template.jinja",
    ):
        shutil.copy(ASSETS / name, folder / name)
    config = json.loads((ASSETS / "config.json").read_text())
    config["text_config"].update(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=FFN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, rope_theta=1e6, rope_scaling={"type": "mrope", "mrope_section": [16, 24, 24]},
        tie_word_embeddings=False, max_position_embeddings=32768,
    )  # fmt: skip
    config["vision_config"].update(depth=BLOCKS, embed_dim=VISION, hidden_size=HIDDEN, num_heads=16)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "processor_config.json").write_text(
        json.dumps({"n_frames": 8, "max_n_frames": 16, "max_pixels": 112 * 112})
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("clip")
    parser.add_argument("--family", choices=("tarsier", "tarsier2"), default="tarsier2")
    parser.add_argument("--tarsier", default="build/release/bin/tarsier")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if not (options.folder / "model.safetensors.index.json").exists():
        write_weights(options.folder, list(tarsier_shapes() if options.family == "tarsier" else tarsier2_shapes()))
    (write_tarsier_settings if options.family == "tarsier" else write_tarsier2_settings)(options.folder)
    begin = time.monotonic()
    command = [
        options.tarsier,
        "describe",
        options.clip,
        "--model",
        str(options.folder),
        "--max-new-tokens",
        "1",
        "--json",
        "--tokens",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    seconds = time.monotonic() - begin
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)
    print(done.stdout.decode().strip())
    print(
        f"exit code {done.returncode}, {seconds:.0f} s, at most {memory:.1f} GiB in memory (the mapped weights included)"
    )
    return 0 if done.returncode == 0 and seconds <= 1800 and memory <= 24 else 1


if __name__ == "__main__":
    sys.exit(main())
