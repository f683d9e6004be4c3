import { suggest } from '../support/text.ts';
import { UserError } from '../support/user-error.ts';
import { albert } from './families/albert/definition.ts';
import { bart } from './families/bart/definition.ts';
import { bert } from './families/bert/definition.ts';
import { clip, clipVision } from './families/clip/definition.ts';
import { debertaV2 } from './families/deberta-v2/definition.ts';
import { dinov2, dinov2WithRegisters } from './families/dinov2/definition.ts';
import { distilBert } from './families/distilbert/definition.ts';
import { electra } from './families/electra/definition.ts';
import { gemma2 } from './families/gemma2/definition.ts';
import { gemma3 } from './families/gemma3/definition.ts';
import { gptNeox } from './families/gpt-neox/definition.ts';
import { gpt2 } from './families/gpt2/definition.ts';
import { llama } from './families/llama/definition.ts';
import { mistral } from './families/mistral/definition.ts';
import { modernBert } from './families/modernbert/definition.ts';
import { mpnet } from './families/mpnet/definition.ts';
import { olmo2 } from './families/olmo2/definition.ts';
import { phi3 } from './families/phi3/definition.ts';
import { qwen2 } from './families/qwen2/definition.ts';
import { qwen3 } from './families/qwen3/definition.ts';
import { roberta, xlmRoberta } from './families/roberta/definition.ts';
import { siglip, siglipVision } from './families/siglip/definition.ts';
import { smolLm3 } from './families/smollm3/definition.ts';
import { t5 } from './families/t5/definition.ts';
import { deit, vit } from './families/vit/definition.ts';
import { whisper } from './families/whisper/definition.ts';
import type { ModelDefinition } from './model-definition.ts';

/** All model families, by `model_type`. To add one, add an entry here and a folder. */
const families: Record<string, ModelDefinition> = {
  albert,
  bart,
  bert,
  clip,
  clip_vision_model: clipVision,
  'deberta-v2': debertaV2,
  deit,
  dinov2,
  dinov2_with_registers: dinov2WithRegisters,
  gpt2,
  gpt_neox: gptNeox,
  distilbert: distilBert,
  electra,
  gemma2,
  gemma3_text: gemma3,
  llama,
  mistral,
  modernbert: modernBert,
  mpnet,
  olmo2,
  phi3,
  qwen2,
  qwen3,
  roberta,
  siglip,
  siglip_vision_model: siglipVision,
  smollm3: smolLm3,
  t5,
  vit,
  whisper,
  'xlm-roberta': xlmRoberta,
};

/** The model family of a config.json. For an unknown `model_type`, throws a UserError that lists the known ones. */
export function modelFamily(config: unknown, where: string): ModelDefinition {
  const modelType = (config as { model_type?: unknown } | null)?.model_type;
  if (typeof modelType === 'string' && Object.hasOwn(families, modelType)) {
    return families[modelType]!;
  }
  throw new UserError({
    where: `${where}, model_type`,
    fault: `must be one of ${Object.keys(families).join(', ')}, got ${JSON.stringify(modelType) ?? 'nothing'}`,
    hint: typeof modelType === 'string' ? suggest(modelType, Object.keys(families)) : undefined,
    code: 'unsupported',
  });
}

/** The known `model_type`s, or those of some families. */
export function modelTypes(isMeant: (family: ModelDefinition) => boolean = () => true): string[] {
  return Object.keys(families).filter((modelType) => isMeant(families[modelType]!));
}

/** The first family that llama.cpp stores as whole models of an architecture. Undefined if there is none. */
export function ggufFamily(architecture: string): ModelDefinition | undefined {
  return Object.values(families).find(({ gguf }) => gguf?.whole && gguf.architecture === architecture);
}
