import type { Medium } from '../medium.ts';
import { isSoundFile } from './samples.ts';

export const SOUNDS: Medium = {
  name: 'audio',
  plural: 'sounds',
  files: /\.(wav|flac|mp3|ogg|oga|opus)$/i,
  ending: '.wav',
  accept: 'audio/*',
  recognizes: isSoundFile,
  request: {
    maxBody: 2 ** 25,
    unit: 'seconds',
    // Compressed files do not have their length at the start. The decoder counts it.
    count: () => undefined,
    each: 60,
    together: 32 * 60,
  },
  small: '16 x 16 values of the spectrogram',
  models: {
    kind: 'a speech encoder',
    examples: [{ name: 'openai/whisper-tiny', parameters: 8, megabytes: 151, seconds: 2 }],
  },
  hub: { pipeline: 'audio-classification', name: 'Audio Classification' },
  python: {
    class: 'AutoFeatureExtractor',
    name: 'extractor',
    imports: ['import librosa'],
    inputs:
      'inputs = extractor(librosa.load("clip.wav", sr=16000)[0], sampling_rate=16000, return_tensors="pt")',
    classifier: 'AutoModelForAudioClassification',
    features: ['features = model.encoder(inputs.input_features).last_hidden_state.mean(1)'],
  },
};
