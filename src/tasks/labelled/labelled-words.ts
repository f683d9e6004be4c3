import { PICTURE_IN_PYTHON, textsInPython } from '../../program/modalities/in-python.ts';
import type { PythonResult, PythonUse, TaskTexts } from '../task-words.ts';
import { classifiesVectors, type LabelledData } from './data-section.ts';
import type { LabelAnswer, LabelKind } from './label-kind.ts';
import { jsonKeys } from './read-inputs.ts';

/** The texts about a task on labeled rows. */
export function describeWords({
  name,
  trainedFor,
}: Pick<LabelKind<LabelAnswer>, 'name' | 'trainedFor'>): TaskTexts<LabelledData> {
  return {
    name,
    trainedFor({ text_pair, pictures }) {
      if (pictures) return trainedFor('pictures');
      return trainedFor(text_pair === undefined ? 'texts' : 'pairs of texts');
    },
    hub: { pipeline: 'text-classification', name: 'Text Classification' },
    hubOf: { image: { pipeline: 'image-classification', name: 'Image Classification' } },
    reads: ({ pictures }) => (pictures ? 'image' : 'text'),
    use: usage,
    python(data, result) {
      if (data.pictures) return picturesInPython(data, result);
      return classifiesVectors(data) ? layerInPython(data, result) : headInPython(data);
    },
  };
}

function headInPython({ text_pair, max_length }: Partial<LabelledData>): PythonUse {
  const texts = text_pair === undefined ? '"Some text"' : '"Some text", "another text"';
  return {
    autoModel: 'AutoModelForSequenceClassification',
    hasClasses: true,
    lines: [textsInPython(texts, max_length), 'logits = model(**inputs).logits'],
  };
}

/** Python that classifies a picture with the head of the base's class, or with a layer on its features. */
function picturesInPython(data: Partial<LabelledData>, { folder, normalize }: PythonResult): PythonUse {
  const imports = ['from PIL import Image'];
  const autoModel = 'AutoModelForImageClassification';
  if (!classifiesVectors(data))
    return {
      autoModel,
      hasClasses: true,
      imports,
      lines: [PICTURE_IN_PYTHON, 'logits = model(**inputs).logits'],
    };
  // The features of such a layer are what the classifier of the base's class reads.
  const features = normalize ? 'torch.nn.functional.normalize(features)' : 'features';
  return {
    autoModel: 'AutoModel',
    imports: [...imports, 'import torch', 'from safetensors.torch import load_file'],
    lines: [
      `layer = load_file("${folder}/head.safetensors")`,
      PICTURE_IN_PYTHON,
      'hidden = model(**inputs).last_hidden_state',
      '# DINOv2: class token and mean of the patches; ViT: class token; CLIP and SigLIP: mean of the patches',
      'features = torch.cat([hidden[:, 0], hidden[:, 1:].mean(1)], 1)',
      `logits = ${features} @ layer["weight"].T + layer["bias"]`,
    ],
  };
}

/** How Python computes a sentence vector from the hidden states of one text, by pooling. */
const POOLED = { mean: '.mean(1)', cls: '[:, 0]', lasttoken: '[:, -1]', none: '' };

function layerInPython(
  { text_pair, max_length, pooling = 'none' }: Partial<LabelledData>,
  { folder, normalize }: PythonResult,
): PythonUse {
  const pooled = `model(**inputs).last_hidden_state${POOLED[pooling]}`;
  const isPair = text_pair !== undefined;
  return {
    autoModel: 'AutoModel',
    imports: ['import torch', 'from safetensors.torch import load_file'],
    lines: [
      `layer = load_file("${folder}/head.safetensors")`,
      'def embed(text):',
      `    ${textsInPython('text', max_length)}`,
      `    return ${normalize ? `torch.nn.functional.normalize(${pooled})` : pooled}`,
      isPair ? 'u, v = embed("Some text"), embed("another text")' : 'features = embed("Some text")',
      ...(isPair ? ['features = torch.cat([u, v, (u - v).abs(), u * v], 1)'] : []),
      'logits = features @ layer["weight"].T + layer["bias"]',
    ],
  };
}

/** How to use a model: with lines of text or, for pairs, with JSON Lines. It does not depend on the run's columns. */
function usage({ text, text_pair, pictures }: Partial<LabelledData>): {
  command: string;
  explanation: string;
} {
  if (pictures)
    return {
      command: 'adalora predict . photos',
      explanation: 'a line of JSON for each picture in the folder',
    };
  if (text_pair === undefined)
    return {
      command: 'adalora predict . < texts.txt',
      explanation: 'a line of JSON for each line of the file',
    };
  const keys = jsonKeys({ text: text ?? 0, text_pair });
  return {
    command: 'adalora predict . pairs.jsonl',
    explanation: `a line of JSON for each line, with texts in \`${keys.text}\` and \`${keys.text_pair}\``,
  };
}
