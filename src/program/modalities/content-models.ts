import type { CommonConfig } from '../../models/model-definition.ts';
import type { ContentModel } from './contents.ts';
import { IMAGE_MODEL } from './images.ts';
import { SOUND_MODEL } from './sounds.ts';

/** The models of each medium, by its name. */
export const CONTENT_MODELS: Readonly<Record<string, ContentModel<CommonConfig>>> = {
  image: IMAGE_MODEL as unknown as ContentModel<CommonConfig>,
  audio: SOUND_MODEL,
};
