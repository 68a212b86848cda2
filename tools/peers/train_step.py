"""Clips a second of a training step: `tarsier train sft` beside Python PyTorch and transformers. Run by hand.

Usage: python3 tools/peers/train_step.py [--tarsier build/release/bin/tarsier] [--rounds 5] [--steps 12]

README.md beside this file says what is compared and what to install.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECIPE = ROOT / "tools" / "peers" / "train_step.jsonc"
CLIPS, ACCUMULATE = 12, 2  # as it says
THREADS = 2
TRIAL_STEPS = 3
WARM_UP = 2  # steps that are not counted


# ---- ours


def run(command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def measure_ours(program, folder, steps):
    """Clips and tokens a second, each the median over the steps after the warm-up, data preparation included."""
    out = pathlib.Path(tempfile.mkdtemp(dir=folder))
    settings = ["--set", f"workers={THREADS}", "--set", f"stages.0.steps={steps + WARM_UP}"]
    command = [program, "train", "sft", "--quiet", "--recipe", RECIPE, "--threads", THREADS, "--out", out / "run"]
    run(command + settings)
    lines = (out / "run" / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines[WARM_UP:]]
    return (
        statistics.median(row["clips_per_second"] for row in rows),
        statistics.median(row["tokens_per_second"] / row["clips_per_second"] for row in rows),
    )


def clip_shape(program, folder):
    """Frames of a clip and their grid of patches, from a clip of the stage's level."""
    run([program, "data", "synth", "--quiet", "--level", "base", "--clips", "1", "--out", folder / "clips"])
    plan = json.loads(run([program, "plan", "--json", "--frames", "8", folder / "clips" / "000000.mp4"]))
    width, height = (side // 14 for side in plan["size"])
    return plan["frames"], height, width, plan["visual_tokens"]


# ---- theirs


def peer_main(setting, shape, steps):
    """In a process of its own: prints the clips a second of each step."""
    import torch
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    nano = json.loads((ROOT / "assets" / "tarsier-nano" / "config.json").read_text())
    text, vision = dict(nano["text_config"]), dict(nano["vision_config"])
    ids = {
        key: text[key] for key in ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    }
    for part in (text, vision):
        part.pop("model_type")
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": text.pop("rope_theta"), **text.pop("rope_scaling")}
    text["rope_parameters"].pop("type")
    config = Qwen2VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=text["tie_word_embeddings"], **ids
    )
    config._attn_implementation = setting["attention"]
    model = Qwen2VLForConditionalGeneration(config).train()
    narrow = torch.bfloat16 if setting["dtype"] == "bf16" else torch.float32
    model = model.to(narrow)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    batch = peer_batch(torch, ids, shape, setting["layout"], narrow)
    model_inputs, labels = batch
    for _ in range(steps + WARM_UP):
        begin = time.perf_counter()
        for _ in range(ACCUMULATE):
            with torch.autocast("cpu", torch.bfloat16, enabled=setting["dtype"] == "autocast"):
                logits = model(**model_inputs, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(
                logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=-100
            )
            (loss / ACCUMULATE).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        print(CLIPS * ACCUMULATE / (time.perf_counter() - begin), flush=True)


def peer_batch(torch, ids, shape, layout, narrow):
    """One micro-batch: each clip its frames, then its text, all of it learned. Every clip has the mean length, so padding
    wastes nothing. "packed" is one row in which no clip sees another."""
    frames, height, width, visual, tokens = shape
    per_frame = visual // frames
    row = []
    for _ in range(frames):
        row += [ids["vision_start_token_id"]] + [ids["image_token_id"]] * per_frame + [ids["vision_end_token_id"]]
    text = tokens - len(row)
    generator = torch.Generator().manual_seed(2)
    words = torch.randint(10, 800, (CLIPS, text), generator=generator)
    input_ids = torch.cat([torch.tensor(row).expand(CLIPS, -1), words], 1)
    labels = torch.cat([torch.full((CLIPS, len(row)), -100), words], 1)
    kinds = (input_ids == ids["image_token_id"]).int()
    inputs = {
        "pixel_values": torch.randn(CLIPS * frames * height * width, 1176, generator=generator).to(narrow),
        "image_grid_thw": torch.tensor([[1, height, width]] * (CLIPS * frames)),
    }
    # The three axes of positions are made once, as ours are with the data.
    positions = torch.arange(tokens).expand(3, CLIPS, tokens)
    if layout == "padded":
        inputs.update(input_ids=input_ids, attention_mask=torch.ones_like(input_ids), position_ids=positions)
    else:
        apart = torch.block_diag(*[torch.ones(tokens, tokens, dtype=torch.bool).tril()] * CLIPS)
        mask = torch.zeros(apart.shape, dtype=narrow).masked_fill(~apart, torch.finfo(narrow).min)
        inputs.update(
            input_ids=input_ids.reshape(1, -1),
            attention_mask=mask[None, None],
            position_ids=positions.reshape(3, 1, -1),
        )
        labels, kinds = labels.reshape(1, -1), kinds.reshape(1, -1)
    inputs["mm_token_type_ids"] = kinds
    return inputs, labels


def measure_peer(python, setting, shape, steps):
    command = [python, __file__, "--peer", json.dumps({"setting": setting, "shape": shape, "steps": steps})]
    speeds = [float(line) for line in run(command).split()]
    return statistics.median(speeds[WARM_UP:])


def best_setting(python, shape):
    speeds = {}
    for dtype in ("f32", "bf16", "autocast"):
        for attention in ("sdpa", "eager"):
            for layout in ("padded", "packed"):
                setting = {"dtype": dtype, "attention": attention, "layout": layout}
                name = f"{dtype} {attention} {layout}"
                try:
                    speeds[name] = (measure_peer(python, setting, shape, TRIAL_STEPS), setting)
                except subprocess.CalledProcessError as failure:
                    print(f"  {name}: failed: {failure.stderr.strip().splitlines()[-1]}")
                    continue
                print(f"  {name}: {speeds[name][0]:.1f} clips/s", flush=True)
    return max(speeds.items(), key=lambda each: each[1][0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tarsier", default=ROOT / "build" / "release" / "bin" / "tarsier", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="the Python that has torch and transformers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        peer_main(**json.loads(arguments.peer))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        frames, height, width, visual = clip_shape(arguments.tarsier, folder)
        _, tokens = measure_ours(arguments.tarsier, folder, TRIAL_STEPS)
        shape = [frames, height, width, visual, round(tokens)]
        print(f"a clip: {frames} frames, {visual} visual tokens, {round(tokens)} tokens in all")
        print(f"PyTorch, {THREADS} threads, its settings:")
        name, (_, setting) = best_setting(arguments.python, shape)
        print(f"PyTorch's best: {name}; alternating rounds of {arguments.steps} steps, clips/s:")
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(measure_ours(arguments.tarsier, folder, arguments.steps)[0])
            theirs.append(measure_peer(arguments.python, setting, shape, arguments.steps))
            print(f"  ours {ours[-1]:.1f}   PyTorch {theirs[-1]:.1f}   ratio {ours[-1] / theirs[-1]:.2f}", flush=True)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"medians: ours {statistics.median(ours):.1f}, PyTorch {statistics.median(theirs):.1f} clips/s; ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
