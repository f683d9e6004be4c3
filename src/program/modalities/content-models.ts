import { SOUNDS } from '../../input/media/sounds/medium.ts';
import { SoundReader } from '../../input/media/sounds/sound-reader.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { type ContentModel, Contents } from './contents.ts';
import { IMAGE_MODEL } from './images.ts';
import type { Modality } from './modality.ts';

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
