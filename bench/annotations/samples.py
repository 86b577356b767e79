"""What labels are matched by: the images of a run, without their pictures."""

from __future__ import annotations

import pandas as pd

from bench.store.run import Run


def sample_table(run: Run) -> pd.DataFrame:
    """Return ``sample_id, text, index, path`` of the images; ``attrs["run"]`` is the run's name.

    ``path`` is where a picture stood in the set that it came from; None where it was made here.
    """
    parts = []
    columns = ["sample_id", "text", "index", "image"]
    for _, part in run.parts("samples", columns):
        paths = part["image"].combine_chunks().field("path")
        parts.append(part.select(columns[:3]).append_column("path", paths).to_pandas())
    table = pd.concat(parts) if parts else pd.DataFrame(columns=[*columns[:3], "path"])
    table["path"] = table["path"].astype(object).where(table["path"].notna(), None)
    table.attrs["run"] = run.manifest.name
    return table
