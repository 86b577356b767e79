"""From a base model to a gated checkpoint, in one script: ``python examples/fine_tune.py DIR``.

A few steps of training on the bundled Stable Diffusion stand for yours; all that follows is what a
project does with its checkpoints: save, score, compare, the same with a LoRA, the gate, the page.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline
from peft import LoraConfig, get_peft_model_state_dict

from bench.cli.main import run
from reference_models.sd import FOLDER

PROMPTS = ["a blue potato", "a red car", "a green cup", "a yellow fish"]
#: A small grid, so that the script is quick; leave it out for a score to report.
GRID = ["--colours", "red,blue,green,yellow", "--subjects", "potato,cup"]
GRID += ["--templates", "single,control"]


def train(pipeline: StableDiffusionPipeline, steps: int = 4, lr: float = 1e-4) -> None:
    """Teach the U-Net to name the noise in its own pictures; yours go here."""
    with torch.no_grad():
        pictures = pipeline(
            PROMPTS,
            generator=[torch.manual_seed(0)] * 4,
            num_inference_steps=4,
            output_type="latent",
        ).images
        ids = pipeline.tokenizer(PROMPTS, padding="max_length", return_tensors="pt").input_ids
        text = pipeline.text_encoder(ids)[0]
    schedule = DDPMScheduler.from_config(pipeline.scheduler.config)
    trained = [value for value in pipeline.unet.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=lr)
    for _ in range(steps):
        noise, times = torch.randn_like(pictures), torch.randint(1000, (len(pictures),))
        noisy = schedule.add_noise(pictures, noise, times)
        predicted = pipeline.unet(noisy, times, text).sample
        wanted = noise
        if schedule.config.prediction_type == "v_prediction":
            wanted = schedule.get_velocity(pictures, noise, times)
        torch.nn.functional.mse_loss(predicted, wanted).backward()
        optimiser.step()
        optimiser.zero_grad()


def bench(*arguments: str) -> None:
    """Run a command of the suite and stop where it fails; in a shell it is ``bench ...``."""
    print("$ bench", *arguments, flush=True)
    code = run(list(arguments))
    if code:
        raise SystemExit(code)


def main(folder: Path) -> None:
    """Walk the whole road in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    sampling = ["--steps", "6", "--dtype", "float32", "--device", "cpu", *GRID]

    base = StableDiffusionPipeline.from_pretrained(FOLDER, torch_dtype=torch.float32)
    base.set_progress_bar_config(disable=True)
    base.save_pretrained("base")
    bench("run", "--model", "./base", "--name", "base", *sampling)
    bench("baseline", "base", "--out", "baseline.json")

    train(base)
    base.save_pretrained("tuned")
    bench("run", "--model", "./tuned", "--name", "tuned", *sampling)
    bench("check", "tuned", "--baseline", "baseline.json", "--margin", "0.5")

    base.unet.requires_grad_(False)
    base.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"]))
    for checkpoint in ("checkpoint-4", "checkpoint-8"):
        train(base)
        layers = get_peft_model_state_dict(base.unet)
        base.save_lora_weights(checkpoint, unet_lora_layers=layers)
        bench(*("run", "--model", "./tuned", "--lora", checkpoint, "--name", checkpoint, *sampling))
    bench("baseline", "checkpoint-4", "--out", "lora.json")
    bench("check", "checkpoint-8", "--baseline", "lora.json", "--margin", "0.5")

    bench("report", "base", "tuned", "checkpoint-8", "--out", "page.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("fine-tune"))
