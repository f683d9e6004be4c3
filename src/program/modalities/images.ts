import { ImageReader } from '../../input/media/images/image-reader.ts';
import { IMAGES } from '../../input/media/images/medium.ts';
import { ImageProcessor } from '../../input/media/images/processor.ts';
import { PIXELS, type VisionConfig, withImageSize } from '../../models/families/vision/tower.ts';
import { type ContentModel, Contents } from './contents.ts';
import type { Modality } from './modality.ts';

/** Models of images. */
export const IMAGE_MODEL: ContentModel<VisionConfig<unknown>> = {
  fit: (config, settings, where, modelType) =>
    withImageSize(config, new ImageProcessor(settings, where, modelType).input),
  modality({ maxLength }, settings, where, modelType, { image }) {
    const reader = new ImageReader(new ImageProcessor(settings, where, modelType), image);
    return new Contents(IMAGES, reader, PIXELS, maxLength) as Modality;
  },
};
