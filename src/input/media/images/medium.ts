import type { Medium } from '../medium.ts';
import { isImageFile, readImageHeader } from './image-header.ts';

export const IMAGES: Medium = {
  name: 'image',
  plural: 'images',
  files: /\.(jpe?g|png|webp|gif)$/i,
  ending: '.png',
  accept: 'image/jpeg,image/png,image/webp,image/gif',
  recognizes: isImageFile,
  request: {
    maxBody: 2 ** 25,
    unit: 'pixels',
    count(bytes) {
      const { width, height } = readImageHeader(bytes) ?? {};
      return width === undefined ? undefined : width * height!;
    },
    // Current phones save 12 to 24 million.
    each: 25_000_000,
    together: 100_000_000,
  },
  small: '16 x 16 pixels',
  models: {
    kind: 'a vision transformer',
    examples: [
      { name: 'facebook/dinov2-small', parameters: 22, megabytes: 88, seconds: 0.1 },
      { name: 'google/vit-base-patch16-224-in21k', parameters: 86, megabytes: 346, seconds: 0.4 },
      { name: 'facebook/dinov2-base', parameters: 86, megabytes: 346, seconds: 0.5 },
    ],
  },
  hub: { pipeline: 'image-classification', name: 'Image Classification' },
  python: {
    class: 'AutoImageProcessor',
    name: 'processor',
    imports: ['from PIL import Image'],
    inputs: 'inputs = processor(Image.open("image.jpg").convert("RGB"), return_tensors="pt")',
    classifier: 'AutoModelForImageClassification',
    features: [
      'hidden = model(**inputs).last_hidden_state',
      '# DINOv2: class token and mean of the patches; ViT: class token; CLIP and SigLIP: mean of the patches',
      'features = torch.cat([hidden[:, 0], hidden[:, 1:].mean(1)], 1)',
    ],
  },
};
