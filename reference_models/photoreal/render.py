"""Path tracing of a stage by Mitsuba 3, denoised by Open Image Denoise; exact masks beside it.

Needs the extra ``photoreal``. The LLVM variant is four times as fast as the scalar one on a core
and wants LLVM 17 or newer (``DRJIT_LIBLLVM_PATH``); without it the scalar one is taken.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from reference_models.photoreal.meshes import Mesh, joined
from reference_models.photoreal.paint import SIDE, gamma, linear
from reference_models.photoreal.scene import LIGHTS, REACH, SUPPORT, WALL, PhotorealScene


@dataclass(frozen=True, slots=True, eq=False)
class RenderedPicture:
    """A rendered scene.

    Attributes
    ----------
    image : ndarray, uint8 (S, S, 3)
        SRGB.
    labels : ndarray, uint8 (S, S)
        What stands at the middle of each pixel: `reference_models.photoreal.scene` has the values.
    albedo : ndarray, float32 (S, S, 3)
        Linear reflectance.
    """

    image: np.ndarray
    labels: np.ndarray
    albedo: np.ndarray


def mitsuba() -> Any:
    """Mitsuba in its fastest variant that works here."""
    import mitsuba as mi

    if mi.variant() is None:
        mi.set_variant("llvm_ad_rgb" if os.environ.get("DRJIT_LIBLLVM_PATH") else "scalar_rgb")
    return mi


@lru_cache(maxsize=2)
def _template(size: int) -> tuple[Any, Any]:
    """A scene of two planes, one mesh and some lights, and its parameters.

    Every picture is this scene with other values, so that it is compiled once.
    """
    mi = mitsuba()
    film = {
        "type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgb",
        "rfilter": {"type": "box"},
    }  # fmt: skip
    view = mi.ScalarTransform4f().look_at([0, -5, 1], [0, 0, 0], [0, 0, 1])
    white = {"type": "rgb", "value": [1.0, 1.0, 1.0]}
    plane = {
        "type": "rectangle",
        "bsdf": {
            "type": "principled", "specular": 0.3, "roughness": 0.5,
            "base_color": {
                "type": "bitmap", "raw": True, "wrap_mode": "repeat",
                "bitmap": mi.Bitmap(np.full((SIDE, SIDE, 3), 0.5, np.float32)),
                "to_uv": mi.ScalarTransform4f().scale([4, 3, 1]),
            },
        },
    }  # fmt: skip
    light = {"type": "sphere", "emitter": {"type": "area", "radiance": white}}
    one = mi.Mesh("things", 3, 1, has_vertex_normals=True, props=_coat(mi))
    for name, channels in (("vertex_paint", 3), ("vertex_rough", 1)):
        one.add_attribute(name, channels, np.zeros(3 * channels, np.float32))
    scene: dict[str, Any] = {
        "type": "scene",
        "lens": {"type": "thinlens", "fov": 40, "aperture_radius": 0.01, "focus_distance": 4.0,
                 "to_world": view, "film": film},
        "pinhole": {"type": "perspective", "fov": 40, "to_world": view, "film": film},
        "around": {"type": "constant", "radiance": white},
        "wall": plane, "support": plane, "things": one,
        **{f"light{k}": light for k in range(LIGHTS)},
    }  # fmt: skip
    world = mi.load_dict(scene, optimize=False)
    return world, mi.traverse(world)


def _coat(mi: Any) -> Any:
    """The surface of all things: colour and roughness stand at the vertices."""
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict({
        "type": "twosided",
        "bsdf": {
            "type": "principled", "specular": 0.45,
            "base_color": {"type": "mesh_attribute", "name": "vertex_paint"},
            "roughness": {"type": "mesh_attribute", "name": "vertex_rough"},
        },
    })  # fmt: skip
    return properties


def _set(mi: Any, parameters: Any, stage: PhotorealScene) -> np.ndarray:
    """Give the template the values of a stage; the labels of the faces of its mesh."""
    transform = mi.ScalarTransform4f
    view = transform().look_at(list(stage.eye), list(stage.target), [0, 0, 1])
    for lens in ("lens", "pinhole"):
        parameters[f"{lens}.to_world"] = view
        parameters[f"{lens}.x_fov"] = stage.view
    parameters["lens.aperture_radius"] = stage.aperture
    parameters["lens.focus_distance"] = float(np.linalg.norm(stage.eye - stage.target)) - 0.2
    parameters["around.radiance.value"] = stage.ambient.tolist()
    for k, light in enumerate(stage.lights):
        parameters[f"light{k}.to_world"] = transform().translate(light.centre).scale(light.radius)
        parameters[f"light{k}.emitter.radiance.value"] = light.radiance.tolist()
    back = transform().translate([0, stage.wall_at, 3.9]).rotate([1, 0, 0], 90).scale([8, 4, 1])
    floor = transform().translate([0, stage.wall_at - 5, 0]).scale([8, 5, 1])
    planes = zip(("wall", "support"), (back, floor), (stage.wall, stage.support), stage.shine,
                 strict=True)  # fmt: skip
    for name, place, picture, rough in planes:
        parameters[f"{name}.to_world"] = place
        data = parameters[f"{name}.bsdf.base_color.data"]
        parameters[f"{name}.bsdf.base_color.data"] = type(data)(linear(picture).astype(np.float32))
        parameters[f"{name}.bsdf.roughness.value"] = rough
    mesh = joined(*(p.mesh for p in stage.pieces)) if stage.pieces else _NOTHING
    paint = [linear(p.srgb) for p in stage.pieces] or [np.zeros((3, 3))]
    shine = [np.full(len(p.mesh.vertices), p.roughness) for p in stage.pieces] or [np.ones(3)]
    values = {
        "vertex_positions": mesh.vertices, "vertex_normals": _normals(mesh),
        "vertex_paint": np.concatenate(paint), "vertex_rough": np.concatenate(shine),
    }  # fmt: skip
    for name, value in values.items():
        parameters[f"things.{name}"] = value.astype(np.float32).ravel()
    parameters["things.faces"] = mesh.faces.astype(np.uint32).ravel()
    parameters.update()
    _opaque(mi, parameters)
    faces = [np.full(len(p.mesh.faces), p.label, np.uint8) for p in stage.pieces]
    return np.concatenate(faces) if faces else np.zeros(1, np.uint8)


def _opaque(mi: Any, parameters: Any) -> None:
    """Keep values out of the compiled kernel, which then fits every scene."""
    if mi.variant().startswith("llvm"):
        import drjit

        for _, value in parameters:
            if not isinstance(value, (bool, int, float)):
                drjit.make_opaque(value)


#: A speck below the floor, where a scene has no thing.
_NOTHING = Mesh(np.array([[0, 0, -1.0], [0.01, 0, -1], [0, 0.01, -1]]), np.array([[0, 1, 2]]))


def render(
    stage: PhotorealScene, size: int, samples: int, seed: int, denoise: bool = True
) -> RenderedPicture:
    """Trace a stage.

    Parameters
    ----------
    stage : PhotorealScene
    size : int
        Pixels a side.
    samples : int
        Paths a pixel.
    seed : int
    denoise : bool
        Whether Open Image Denoise takes the noise out, guided by albedo and normals.
    """
    mi = mitsuba()
    world, parameters = _template(size)
    of_face = _set(mi, parameters, stage)
    path = mi.load_dict({"type": "path", "max_depth": 5})
    guides = mi.load_dict({"type": "aov", "aovs": "a:albedo,n:sh_normal"})
    first = mi.load_dict({"type": "aov", "aovs": "x:position,p:prim_index"})
    light = _traced(mi, world, path, 0, samples, seed)[..., :3]
    guide = _traced(mi, world, guides, 0, max(4, samples // 2), seed)[..., -6:]
    seen = _traced(mi, world, first, 1, 1, seed)[..., -4:]
    labels = _labels(stage, seen, of_face)
    light, albedo, normal = (
        np.ascontiguousarray(x) for x in (light, guide[..., :3], guide[..., 3:])
    )
    if denoise:
        import pyoidn

        light = np.asarray(pyoidn.denoise(light, albedo=albedo.clip(0, 1), normal=normal, hdr=True))
    bright = light.max(-1) / albedo.max(-1).clip(0.03)
    exposed = light * (0.85 / max(float(np.median(bright)), 1e-3))
    # A soft shoulder above 0.8, as cameras have.
    exposed = np.where(exposed > 0.8, 0.8 + 0.2 * np.tanh((exposed - 0.8) / 0.2), exposed)
    image = (255 * gamma(exposed)).round().astype(np.uint8)
    return RenderedPicture(image, labels, albedo)


def _traced(
    mi: Any, world: Any, integrator: Any, sensor: int, samples: int, seed: int
) -> np.ndarray:
    if mi.variant().startswith("llvm"):
        import drjit

        seed = drjit.opaque(mi.UInt32, seed)
    film = mi.render(world, integrator=integrator, sensor=sensor, spp=samples, seed=seed)
    return np.nan_to_num(np.array(film, dtype=np.float32))


def _labels(stage: PhotorealScene, seen: np.ndarray, of_face: np.ndarray) -> np.ndarray:
    """Labels of pixels from the place (S, S, 3) and the number of the face that each shows."""
    place, face = seen[..., :3], seen[..., 3].round().astype(int)
    out = of_face[face.clip(0, len(of_face) - 1)]
    # A light in view belongs to what is behind.
    out[np.linalg.norm(place, axis=-1) > REACH] = WALL
    out[np.abs(place[..., 1] - stage.wall_at) < 1e-3] = WALL
    out[np.abs(place[..., 2]) < 1e-3] = SUPPORT
    return out


def _normals(mesh: Mesh) -> np.ndarray:
    """Normals at vertices: the sum of those of the faces by their area."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    of_faces = np.cross(b - a, c - a)
    out = np.zeros_like(mesh.vertices)
    for k in range(3):
        for axis in range(3):
            out[:, axis] += np.bincount(mesh.faces[:, k], of_faces[:, axis], len(out))
    return out / np.linalg.norm(out, axis=1, keepdims=True).clip(1e-12)
