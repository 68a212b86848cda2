#!/usr/bin/env python3
"""Reads what `tarsier ground` writes with other people's readers, the packages srt and webvtt-py.

Usage: PYTHON tools/subtitle_check.py PROGRAM VIDEO [ARGUMENTS...]

PYTHON has the two packages (pip install srt webvtt-py). Runs PROGRAM ground on VIDEO with --json, --srt and --vtt and checks
that the three hold the same cues: SRT and VTT to the millisecond, JSON to the sampling step; that cues are in order and end
after they start. Prints the cues; exits 1 when something differs.
"""

from __future__ import annotations

import html
import io
import json
import subprocess
import sys

import srt
import webvtt


def run(program: str, video: str, *arguments: str) -> str:
    command = [program, "ground", "-q", video, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    program, video, *more = sys.argv[1:]
    row = json.loads(run(program, video, "--json", *more))
    sub_rip = [
        (cue.start.total_seconds(), cue.end.total_seconds(), html.unescape(cue.content))
        for cue in srt.parse(run(program, video, "--srt", *more))
    ]
    web = [
        (cue.start_in_seconds, cue.end_in_seconds, html.unescape(cue.text), cue.start, cue.end)
        for cue in webvtt.from_buffer(io.StringIO(run(program, video, "--vtt", *more)))
    ]
    events = sorted(row["events"], key=lambda event: event["start_s"])
    wrong = len(sub_rip) != len(events) or len(web) != len(events)
    for (start, end, text), (_, _, web_text, web_start, web_end), event in zip(sub_rip, web, events, strict=False):
        same = (clock(start), clock(end), text) == (web_start, web_end, web_text)
        near = max(abs(start - event["start_s"]), abs(end - event["end_s"])) <= max(row["precision_s"], 0.001)
        good = same and near and start < end and text == " ".join(event["text"].split())
        wrong = wrong or not good
        print(f"{'ok ' if good else 'BAD'} {clock(start)} {clock(end)} {text}")
    print(f"{len(sub_rip)} cues of {len(events)} events, {'different' if wrong else 'the same in all three'}")
    return 1 if wrong else 0


def clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"


if __name__ == "__main__":
    sys.exit(main())
