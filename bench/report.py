"""Results as a table for people and as JSON for programs."""

import datetime
import json
import os
import platform
import statistics

from lab.daemons import versions


def _number(value):
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return str(int(value))


def summary(values):
    """min / median / max, or what there is to say if not all are numbers."""
    numbers = [value for value in values if isinstance(value, (int, float))]
    words = sorted({str(value) for value in values if not isinstance(value, (int, float))})
    if len(numbers) > 1:
        middle = statistics.median(numbers)
        parts = [_number(min(numbers)), _number(middle), _number(max(numbers))]
        words.insert(0, parts[0] if len(set(parts)) == 1 else " / ".join(parts))
    elif numbers:
        words.insert(0, _number(numbers[0]))
    return ", ".join(words) or "-"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    return {
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "model": model,
        "load_average": os.getloadavg(),
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "versions": versions(),
    }


class Report:
    """results[row][daemon] = {metric: [values]} or {"error": text}."""

    def __init__(self, settings):
        self.results = {}
        self.titles = {}
        self.head = {"machine": machine(), "settings": settings}

    def add(self, row, title, daemon, measured):
        self.titles[row] = title
        self.results.setdefault(row, {})[daemon] = measured

    def text(self):
        lines = [f"{key}: {value}" for key, value in self.head["machine"].items()]
        lines.append("numbers are min / median / max")
        for row, by_daemon in self.results.items():
            lines += ["", f"{row}: {self.titles[row]}"] + self._table(by_daemon)
        return "\n".join(lines) + "\n"

    @staticmethod
    def _table(by_daemon):
        metrics = []
        for measured in by_daemon.values():
            metrics += [metric for metric in measured if metric not in metrics and metric != "error"]
        table = [["", *by_daemon]]
        for metric in metrics:
            table.append([metric] + [summary(measured.get(metric, [])) for measured in by_daemon.values()])
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
        for daemon, measured in by_daemon.items():
            if "error" in measured:
                lines.append(f"  {daemon}: not measured: {measured['error'].splitlines()[0]}")
        return lines

    def write_json(self, path):
        document = {**self.head, "rows": {row: {"title": self.titles[row], "daemons": by_daemon}
                                          for row, by_daemon in self.results.items()}}  # fmt: skip
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
