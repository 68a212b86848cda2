#!/usr/bin/env python3
"""Reads event files of ours back with TensorBoard's own code.

usage: tensorboard_read_test.py TRAIN_TESTS     exits 77 (skipped) where the tensorboard wheel is not installed

TARSIER_TENSORBOARD_PYTHON may name a Python that has the wheel.
"""

import os
import subprocess
import sys
import tempfile


def main() -> int:
    try:
        from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
    except ImportError:
        other = os.environ.pop("TARSIER_TENSORBOARD_PYTHON", None)
        if other:
            return subprocess.call([other, *sys.argv])
        print("skipped: no tensorboard wheel")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.argv[1], "--gtest_filter=EventFile.*", "--gtest_brief=1"],
            env={**os.environ, "TARSIER_EVENTS_DIR": folder},
            check=True,
        )
        events = event_accumulator.EventAccumulator(folder)
        events.Reload()
        losses = [(event.step, event.value) for event in events.Scalars("train/loss")]
        # Step 3 of the first file is cut by the second one's session start.
        assert losses == [(1, 0.5), (2, 0.5), (3, 0.25), (4, 0.25)], losses
        events = plugin_event_accumulator.EventAccumulator(folder)  # what the server reads with
        events.Reload()
        assert "samples/0" in events.Tags()["tensors"], events.Tags()
        assert events.summary_metadata["samples/0"].plugin_data.plugin_name == "text"
        texts = [(event.step, event.tensor_proto.string_val[0]) for event in events.Tensors("samples/0")]
        assert texts == [(step, b"a **red** circle") for step in (1, 2, 3, 4)], texts
    return 0


if __name__ == "__main__":
    sys.exit(main())
