"""Parallel requests to POST /v1/generate, and whether the right model answered.

    python scripts/stress_test.py --requests 200 --concurrency 20

Prints a table per model and exits with 1 when a single request failed. An
answer is right when its `model_id` is the model that was asked for; where the
text names its author, as the stub's `[qwen2] ...` does, that must agree too.
"""

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Optional

import aiohttp


@dataclass
class Result:
    model: str
    seconds: float
    problem: Optional[str]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://localhost:8000/v1/generate")
    parser.add_argument("--concurrency", type=positive, default=20, help="requests that run at once")
    parser.add_argument("--requests", type=positive, default=20, help="requests in all")
    parser.add_argument("--models", default="qwen2,llama3", help="taken in turn, separated by commas")
    parser.add_argument("--scenario", default="chat")
    parser.add_argument("--max-new-tokens", type=positive, default=64)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one request")
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def body(args, model, number):
    return {
        "model_id": model,
        "inputs": f"Question {number}: what is a headworks?",
        "scenario": args.scenario,
        "parameters": {"max_new_tokens": args.max_new_tokens, "temperature": 0.7, "top_p": 0.9},
    }


def problem(status, answer, model):
    """What is wrong with an answer, or None."""
    if status != 200:
        return f"status {status}: {str(answer)[:200]}"
    if not isinstance(answer, dict) or not isinstance(answer.get("generated_text"), str):
        return "the answer is not an object with `generated_text`"
    if answer.get("model_id") != model:
        return f"asked {model}, `model_id` is {answer.get('model_id')}"
    author = re.match(r"\[([^\]]+)\] ", answer["generated_text"])
    if author and author[1] != model:
        return f"asked {model}, {author[1]} answered"
    return None


async def ask(session, args, model, number):
    started = time.perf_counter()
    try:
        async with session.post(args.url, json=body(args, model, number)) as response:
            found = problem(response.status, await response.json(content_type=None), model)
    except asyncio.TimeoutError:
        found = f"no answer within {args.timeout:g} s"
    except (aiohttp.ClientError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
    return Result(model, time.perf_counter() - started, found)


async def run(args):
    models = [model.strip() for model in args.models.split(",") if model.strip()]
    if not models:
        sys.exit("error: --models names no model")
    gate = asyncio.Semaphore(args.concurrency)

    async def in_turn(session, number):
        async with gate:
            return await ask(session, args, models[number % len(models)], number)

    timeout = aiohttp.ClientTimeout(total=args.timeout)
    connector = aiohttp.TCPConnector(limit=args.concurrency)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        return await asyncio.gather(*(in_turn(session, number) for number in range(args.requests)))


def percentile(ordered, percent):
    """Nearest rank: the smallest value that `percent` of all do not exceed."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def row(name, results, elapsed):
    ok = sorted(result.seconds * 1000 for result in results if result.problem is None)
    times = [sum(ok) / len(ok), *(percentile(ok, percent) for percent in (50, 95, 99))] if ok else []
    cells = [f"{time:9.1f}" for time in times] or [f"{'-':>9}"] * 4
    return f"{name:<12}{len(ok):>6}{len(results) - len(ok):>8}{''.join(cells)}{len(ok) / elapsed:>9.1f}"


def report(results, elapsed):
    print(f"{'model':<12}{'ok':>6}{'failed':>8}{'mean ms':>9}{'P50':>9}{'P95':>9}{'P99':>9}{'QPS':>9}")
    for model in dict.fromkeys(result.model for result in results):
        print(row(model, [result for result in results if result.model == model], elapsed))
    print(row("all", results, elapsed))
    problems = Counter(result.problem for result in results if result.problem)
    for text, count in problems.most_common(10):
        print(f"  {count} x {text}")
    return 1 if problems else 0


def main():
    args = arguments()
    started = time.perf_counter()
    results = asyncio.run(run(args))
    return report(results, time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
