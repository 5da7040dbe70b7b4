#!/usr/bin/env python3
"""Makes exporter/data/prices.json anew, from the price table inside the newest `litellm` wheel.

usage: refresh-prices.py [--wheel FILE]     (a wheel that is already there, instead of a download)

Every figure is parsed as a decimal and written as an integer of pico-USD per token; a figure that is no whole
number of them is an error. Where the source leaves a rate open:
- a cache read or a short cache write without a rate costs what input costs, a long write what a short one costs;
- what a prompt size or a service tier leaves open is the standard rate, scaled as that tier scales input; a
  prompt size that a service tier leaves open altogether scales that tier as it scales the standard one;
- a search costs what it costs with the provider's other models, if they all agree.
The date in the file is the day of the run; the same wheel on the same day gives the same bytes.
"""

import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from fractions import Fraction

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
TABLE = "litellm/model_prices_and_context_window_backup.json"
PICO = 10**12

# Ours, and theirs.
RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}
# A rate that the source leaves open, and the one that stands for it.
STANDS_FOR = {"cache_read": "input", "cache_write_5m": "input", "cache_write_1h": "cache_write_5m"}
SERVICE_TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority", "ultrafast": "_ultrafast"}
# A model whose answers are not only text tokens cannot be priced by tokens alone.
NOT_TEXT = ("output_cost_per_audio_token", "output_cost_per_image", "output_cost_per_video_token")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--wheel", type=pathlib.Path)
    given = arguments.parse_args().wheel
    with tempfile.TemporaryDirectory() as scratch:
        wheel = given or download(scratch)
        version = re.match(r"litellm-([^-]+)-", wheel.name).group(1)
        with zipfile.ZipFile(wheel) as files:
            source = json.loads(files.read(TABLE), parse_float=Decimal, parse_int=Decimal)
            licence = files.read(f"litellm-{version}.dist-info/licenses/LICENSE")
    rows = [row for key, stated in source.items() if (row := model(key, stated))]
    models = sorted(rows, key=lambda row: (row["provider"], row["model"]))
    share_web_search(models)
    (DATA / "prices.json").write_text(document(version, models))
    (DATA / "prices.LICENSE").write_bytes(licence)
    print(f"{len(models)} models from litellm {version}", file=sys.stderr)


def download(scratch):
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, "litellm"]
    subprocess.run(pip, check=True)
    return next(pathlib.Path(scratch).glob("litellm-*.whl"))


def model(key, row):
    """Our row for one of the source's, or None for a reseller's, a fine-tuned or a free one and the like."""
    provider, name = row.get("litellm_provider"), key
    if provider not in ("anthropic", "openai", "gemini") or row.get("mode") not in ("chat", "responses"):
        return None
    if provider == "gemini":
        # The bare names are those of Google's other platform, with other prices.
        if not key.startswith("gemini/"):
            return None
        name = key.removeprefix("gemini/")
    if "/" in name or name.startswith("ft:") or any(field in row for field in NOT_TEXT):
        return None
    if not row.get(RATES["input"]) or not row.get(RATES["output"]):
        return None

    standard = complete({ours: pico(row[theirs]) for ours, theirs in RATES.items() if theirs in row})
    made = {"provider": provider, "model": name} | schedule(row, standard, "")
    variants = {
        tier: schedule(row, standard, suffix)
        for tier, suffix in SERVICE_TIERS.items()
        if RATES["input"] + suffix in row
    }
    multipliers = row.get("provider_specific_entry", {})
    optional = {
        "service_tiers": variants,
        "speed": {"fast": ratio(multipliers["fast"])} if "fast" in multipliers else {},
        "geo": {"us": ratio(multipliers["us"])} if "us" in multipliers else {},
        "web_search": web_search(row),
    }
    return made | {field: value for field, value in optional.items() if value}


def schedule(row, standard, suffix):
    """The rates of one service tier (none: the standard one), and those for prompts above certain sizes."""
    rates = scaled(row, standard, suffix)
    tiers = [
        {"above_tokens": size * 1000, "rates": tier_rates(row, standard, rates, f"_above_{size}k_tokens", suffix)}
        for size in prompt_sizes(row)
    ]
    return {"rates": rates} | ({"tiers": tiers} if tiers else {})


def prompt_sizes(row):
    names = (re.fullmatch(RATES["input"] + r"_above_(\d+)k_tokens", field) for field in row)
    return sorted(int(name.group(1)) for name in names if name)


def tier_rates(row, standard, rates, size, suffix):
    if RATES["input"] + size + suffix in row:
        return scaled(row, rates, size + suffix)
    standard_tier = scaled(row, standard, size)
    return {ours: whole(Fraction(rate * standard_tier[ours], standard[ours])) for ours, rate in rates.items()}


def scaled(row, base, suffix):
    """The rates under `suffix`; those that are not stated follow the input."""
    stated = {ours: pico(row[theirs + suffix]) for ours, theirs in RATES.items() if theirs + suffix in row}
    factor = Fraction(stated["input"], base["input"])
    return {ours: stated.get(ours, whole(rate * factor)) for ours, rate in base.items()}


def complete(rates):
    for missing, instead in STANDS_FOR.items():
        rates.setdefault(missing, rates[instead])
    return {ours: rates[ours] for ours in RATES}


def web_search(row):
    """Per request, where it does not depend on how much context the search brings."""
    prices = set(row.get("search_context_cost_per_query", {}).values())
    return pico(prices.pop()) if len(prices) == 1 else None


def share_web_search(models):
    """Where a provider's models all agree on the price of a search, it holds for those that do not state it."""
    for provider in {row["provider"] for row in models}:
        ours = [row for row in models if row["provider"] == provider]
        prices = {row["web_search"] for row in ours if "web_search" in row}
        if len(prices) == 1:
            price = prices.pop()
            for row in ours:
                row["web_search"] = price


def pico(usd):
    return whole(Fraction(usd) * PICO)


def ratio(number):
    return list(Fraction(number).as_integer_ratio())


def whole(number):
    if Fraction(number).denominator != 1:
        raise SystemExit(f"{number} is no whole number of pico-USD")
    return int(number)


def document(version, models):
    """One line per model, so that a change of prices reads well as a diff."""
    head = {
        "version": 1,
        "source": f"litellm wheel, {TABLE}",
        "source_version": version,
        "license": "MIT, Copyright (c) 2023 Berri AI; see prices.LICENSE",
        "retrieved": datetime.date.today().isoformat(),
        "unit": "pico-USD per token",
    }
    lines = [f"  {json.dumps(field)}: {json.dumps(value)},\n" for field, value in head.items()]
    rows = ",\n".join("    " + json.dumps(row, separators=(",", ":")) for row in models)
    return "{\n" + "".join(lines) + '  "models": [\n' + rows + "\n  ]\n}\n"


if __name__ == "__main__":
    main()
