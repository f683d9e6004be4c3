import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import { albert } from './albert/definition.ts';
import { bart } from './bart/definition.ts';
import { bert } from './bert/definition.ts';
import { clip, clipVision } from './clip/definition.ts';
import { debertaV2 } from './deberta-v2/definition.ts';
import { dinov2, dinov2WithRegisters } from './dinov2/definition.ts';
import { distilBert } from './distilbert/definition.ts';
import { electra } from './electra/definition.ts';
import { gemma2 } from './gemma2/definition.ts';
import { gemma3 } from './gemma3/definition.ts';
import { gptNeox } from './gpt-neox/definition.ts';
import { gpt2 } from './gpt2/definition.ts';
import { llama } from './llama/definition.ts';
import { mistral } from './mistral/definition.ts';
import type { ModelDefinition } from './model-definition.ts';
import { modernBert } from './modernbert/definition.ts';
import { mpnet } from './mpnet/definition.ts';
import { olmo2 } from './olmo2/definition.ts';
import { phi3 } from './phi3/definition.ts';
import { qwen2 } from './qwen2/definition.ts';
import { qwen3 } from './qwen3/definition.ts';
import { roberta } from './roberta/definition.ts';
import { siglip, siglipVision } from './siglip/definition.ts';
import { smolLm3 } from './smollm3/definition.ts';
import { t5 } from './t5/definition.ts';
import { deit, vit } from './vit/definition.ts';
import { xlmRoberta } from './xlm-roberta/definition.ts';

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
  });
}

export function modelTypes(): string[] {
  return Object.keys(families);
}
