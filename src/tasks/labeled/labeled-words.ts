import { mediumNamed } from '../../input/media/media.ts';
import type { MediumInPython } from '../../input/media/medium.ts';
import { textsInPython } from '../../program/modalities/in-python.ts';
import type { PythonResult, PythonUse, TaskTexts } from '../task-words.ts';
import { classifiesVectors, type LabeledData } from './data-section.ts';
import type { LabelAnswer, LabelKind } from './label-kind.ts';
import { jsonKeys } from './read-inputs.ts';

/** The texts about a task on labeled rows. */
export function describeWords({
  name,
  trainedFor,
}: Pick<LabelKind<LabelAnswer>, 'name' | 'trainedFor'>): TaskTexts<LabeledData> {
  return {
    name,
    trainedFor({ text_pair, medium }) {
      const { plural = text_pair === undefined ? 'texts' : 'pairs of texts' } = mediumNamed(medium) ?? {};
      return trainedFor(plural);
    },
    hub: { pipeline: 'text-classification', name: 'Text Classification' },
    medium: ({ medium }) => medium,
    use: usage,
    python(data, result) {
      const medium = mediumNamed(data.medium);
      if (medium) return filesInPython(medium.python, data, result);
      return classifiesVectors(data) ? layerInPython(data, result) : headInPython(data);
    },
  };
}

function headInPython({ text_pair, max_length }: Partial<LabeledData>): PythonUse {
  const texts = text_pair === undefined ? '"Some text"' : '"Some text", "another text"';
  return {
    autoModel: 'AutoModelForSequenceClassification',
    hasClasses: true,
    lines: [textsInPython(texts, max_length), 'logits = model(**inputs).logits'],
  };
}

/** Python that classifies a file with the head of the base's class, or with a layer on its features. */
function filesInPython(
  { classifier, imports, inputs, features }: MediumInPython,
  data: Partial<LabeledData>,
  { folder, normalize }: PythonResult,
): PythonUse {
  if (!classifiesVectors(data))
    return {
      autoModel: classifier,
      hasClasses: true,
      imports,
      lines: [inputs, 'logits = model(**inputs).logits'],
    };
  const read = normalize ? 'torch.nn.functional.normalize(features)' : 'features';
  return {
    autoModel: 'AutoModel',
    imports: [...imports, 'import torch', 'from safetensors.torch import load_file'],
    lines: [
      `layer = load_file("${folder}/head.safetensors")`,
      inputs,
      ...features,
      `logits = ${read} @ layer["weight"].T + layer["bias"]`,
    ],
  };
}

/** How Python computes a sentence vector from the hidden states of one text, by pooling. */
const POOLED = { mean: '.mean(1)', cls: '[:, 0]', lasttoken: '[:, -1]', none: '' };

function layerInPython(
  { text_pair, max_length, pooling = 'none' }: Partial<LabeledData>,
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
function usage({ text, text_pair, medium }: Partial<LabeledData>): {
  command: string;
  explanation: string;
} {
  if (medium)
    return {
      command: 'adalora predict . FOLDER',
      explanation: `a line of JSON for each ${medium} in the folder`,
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
