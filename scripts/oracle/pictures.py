"""Writes golden pixels of Pillow and of transformers' image processors: src/input/media/images/fixtures/.

Needs pillow, numpy, torch and transformers. Run: python scripts/oracle/pictures.py
"""

import hashlib
import json
import os
import sys

import numpy as np
import PIL
import transformers
from PIL import Image, ImageOps
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

OUT = os.path.join(os.path.dirname(__file__), "../../src/input/media/images/fixtures")
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def smooth(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x * y) % 256], -1).astype(np.uint8)


def files():
    """Small odd files: name -> how to write it."""
    picture = Image.fromarray(smooth(24, 36))
    alpha = Image.fromarray((np.mgrid[0:24, 0:36][1] * 7).astype(np.uint8))
    clear = picture.copy()
    clear.putalpha(alpha)
    palette = picture.convert("P")
    turned = Image.Exif()
    turned[0x112] = 6
    mirrored = Image.Exif()
    mirrored[0x112] = 5
    deep = Image.fromarray((np.mgrid[0:24, 0:36][1] * 9 + 77).astype(np.uint16))
    frames = [Image.fromarray(np.full((8, 9, 3), level, np.uint8)) for level in (10, 200)]
    yield "rgb.png", picture, {}
    yield "grey.png", picture.convert("L"), {}
    yield "one-bit.png", picture.convert("1"), {}
    yield "palette.png", palette, {}
    yield "palette-clear.png", palette, {"transparency": palette.getpixel((5, 5))}
    yield "clear.png", clear, {}
    yield "grey-clear.png", clear.convert("LA"), {}
    yield "color-clear.png", picture, {"transparency": picture.getpixel((5, 5))}
    yield "deep.png", deep, {}
    yield "turned.png", picture, {"exif": turned}
    yield "one-pixel.png", picture.crop((3, 3, 4, 4)), {}
    yield "strip.png", Image.fromarray(np.tile(smooth(1, 250), (1, 80, 1))), {}
    yield "lossless.webp", picture, {"lossless": True}
    yield "moving.gif", frames[0], {"save_all": True, "append_images": frames[1:]}
    yield "still.gif", picture, {}
    yield "photo.jpg", picture, {"quality": 90, "subsampling": 0}
    yield "sampled.jpg", picture, {"quality": 85, "subsampling": 2}
    yield "progressive.jpg", picture, {"quality": 80, "progressive": True}
    yield "grey.jpg", picture.convert("L"), {}
    yield "inks.jpg", picture.convert("CMYK"), {"quality": 95}
    yield "turned.jpg", picture, {"exif": turned, "quality": 90}
    yield "mirrored.jpg", picture, {"exif": mirrored, "quality": 90}


def to_rgb(image):
    """As datasets and a careful reader do: EXIF, transparency on white. Grey of 16 bits is clipped, as Pillow does."""
    image.seek(0)
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("RGB")


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def decoded():
    os.makedirs(f"{OUT}/files", exist_ok=True)
    found = {}
    for name, image, options in files():
        path = f"{OUT}/files/{name}"
        image.save(path, **options)
        rgb = np.asarray(to_rgb(Image.open(path)))
        entry = {"size": [rgb.shape[1], rgb.shape[0]], "sha256": digest(rgb)}
        if name.endswith(".jpg"):
            entry["pixels"] = rgb.reshape(-1).tolist()
        found[name] = entry
    return found


def resized():
    picture = Image.open(f"{OUT}/files/rgb.png")
    strip = Image.open(f"{OUT}/files/strip.png")
    cases = []
    for resample in range(6):
        for source, size in [(picture, (7, 5)), (picture, (50, 61)), (picture, (36, 9)), (picture, (40, 11)), (strip, (31, 3))]:
            name = os.path.basename(source.filename)
            result = np.asarray(source.resize(size, resample))
            cases.append({"file": name, "size": size, "resample": resample, "sha256": digest(result)})
    return cases


def processed():
    kinds = {
        "vit": (ViTImageProcessorPil, {"size": {"height": 20, "width": 20}}),
        "vit-number": (ViTImageProcessorPil, {"size": 18}),
        "bit": (BitImageProcessorPil, {"size": {"shortest_edge": 22}, "crop_size": {"height": 16, "width": 16}, **IMAGENET}),
        "clip": (CLIPImageProcessorPil, {"size": {"shortest_edge": 17}, "crop_size": {"height": 17, "width": 17}}),
        "clip-padded": (CLIPImageProcessorPil, {"size": {"shortest_edge": 9}, "crop_size": {"height": 14, "width": 15}}),
        "siglip": (SiglipImageProcessorPil, {"size": {"height": 16, "width": 16}}),
        "deit": (DeiTImageProcessorPil, {"size": {"height": 19, "width": 19}, "crop_size": {"height": 16, "width": 16}}),
        "clip-bounded": (CLIPImageProcessorPil, {"size": {"shortest_edge": 17, "longest_edge": 20}, "crop_size": 15}),
        "lanczos": (ViTImageProcessorPil, {"size": {"height": 11, "width": 13}, "resample": 1, "do_normalize": False}),
    }
    found = []
    for name, (kind, options) in kinds.items():
        processor = kind(**options)
        config = json.loads(processor.to_json_string())
        config["image_processor_type"] = config["image_processor_type"].removesuffix("Pil")
        if name == "vit-number":
            config["size"] = 18
        for file in ["rgb.png", "turned.png"]:
            image = to_rgb(Image.open(f"{OUT}/files/{file}"))
            values = processor(image, return_tensors="np")["pixel_values"][0]
            assert values.dtype == np.float32
            entry = {"name": name, "file": file, "config": config, "shape": list(values.shape)}
            found.append({**entry, "sha256": digest(values)})
    # Files without a class: the model decides.
    for model_type, kind in {"deit": DeiTImageProcessorPil, "clip": CLIPImageProcessorPil, "dinov2": BitImageProcessorPil, "siglip": SiglipImageProcessorPil, "vit": ViTImageProcessorPil}.items():
        values = kind()(to_rgb(Image.open(f"{OUT}/files/turned.png")), return_tensors="np")["pixel_values"][0]
        entry = {"name": f"{model_type} without a file's class", "file": "turned.png", "config": {}, "model_type": model_type}
        found.append({**entry, "shape": list(values.shape), "sha256": digest(values)})
    return found


if __name__ == "__main__":
    golden = {
        "versions": {"pillow": PIL.__version__, "transformers": transformers.__version__},
        "decoded": decoded(),
        "resized": resized(),
        "processed": processed(),
    }
    with open(f"{OUT}/golden.json", "w") as file:
        json.dump(golden, file)
    print("written", OUT, file=sys.stderr)
