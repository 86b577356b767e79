"""What is asked of a model: colours, subjects, grids of prompts, and the samples planned from them.

Nothing here imports anything but the standard library, so that a grid can be made, read and
checked on any machine.
"""

from prompts.captions import CaptionCounter, count_captions
from prompts.cells import SUITE_VERSION, Binding, Cell, Sample, plan
from prompts.colours import BASIC, COLOUR_NAMES, COLOURS, Colour
from prompts.errors import PromptError
from prompts.grid import Grid, with_familiarity
from prompts.gridfile import load_grid
from prompts.grids import PRESET_NAMES, PRESETS, build_grid, make_grid
from prompts.manifest import TrainingManifest
from prompts.parse import parse as parse_prompt
from prompts.subjects import SUBJECT_LIST, SUBJECT_NAMES, SUBJECTS, Subject
from prompts.tags import anti_canonical_colours, canonicity, tag_cell, tag_familiarity
from prompts.templates import TEMPLATE_NAMES, TEMPLATES, Template, make_cell

__all__ = [
    "BASIC",
    "COLOURS",
    "COLOUR_NAMES",
    "PRESETS",
    "PRESET_NAMES",
    "SUBJECTS",
    "SUBJECT_LIST",
    "SUBJECT_NAMES",
    "SUITE_VERSION",
    "TEMPLATES",
    "TEMPLATE_NAMES",
    "Binding",
    "CaptionCounter",
    "Cell",
    "Colour",
    "Grid",
    "PromptError",
    "Sample",
    "Subject",
    "Template",
    "TrainingManifest",
    "anti_canonical_colours",
    "build_grid",
    "canonicity",
    "count_captions",
    "load_grid",
    "make_cell",
    "make_grid",
    "parse_prompt",
    "plan",
    "tag_cell",
    "tag_familiarity",
    "with_familiarity",
]
