import { ImageReader } from '../../input/media/images/image-reader.ts';
import { IMAGES } from '../../input/media/images/medium.ts';
import { ImageProcessor } from '../../input/media/images/processor.ts';
import { SOUNDS } from '../../input/media/sounds/medium.ts';
import { SoundReader } from '../../input/media/sounds/sound-reader.ts';
import { PIXELS, type VisionConfig, withImageSize } from '../../models/families/vision/tower.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
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

/** Models of sounds. Their input has the same size whatever their settings are. */
const SOUND_MODEL: ContentModel<CommonConfig> = {
  fit: (config) => config,
  modality({ content, maxLength }, settings, where, _modelType, { audio }, written) {
    const { input, shape } = content!;
    const reader = new SoundReader(shape as [number, number], settings, where, audio);
    return new Contents(SOUNDS, reader, input, maxLength!, written) as Modality;
  },
};

/** The models of each medium, by its name. */
export const CONTENT_MODELS: Readonly<Record<string, ContentModel<CommonConfig>>> = {
  image: IMAGE_MODEL as unknown as ContentModel<CommonConfig>,
  audio: SOUND_MODEL,
};
