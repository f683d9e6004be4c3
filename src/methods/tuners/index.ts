/**
 * Methods, and the parts of your own.
 *
 * @module tuners
 */

export { z } from 'zod';
export { AdaLoraTuner } from './adalora/adalora-tuner.ts';
export { type AdapterKind, type AdapterSummary, headOutputs } from './adapter-kind.ts';
export { type Allocation, allocate } from './allocation/allocate.ts';
export { AllocatedRun } from './allocation/allocated-run.ts';
export { type AllocatorState, RankAllocator } from './allocation/allocator.ts';
export { type PromisedBudget, promisedBudget } from './allocation/promised-budget.ts';
export { keptIndices, type PrunedModule } from './allocation/pruned-module.ts';
export {
  type AllocationSchedule,
  budgetAt,
  finalStep,
  maskingSteps,
  masksAt,
  resolveSchedule,
} from './allocation/schedule.ts';
export { type AdaLoraConfig, adaLoraConfigSchema } from './composed/pruned-triplets.ts';
export { everyParameter } from './full/definition.ts';
export { type LoraConfig, loraConfigSchema } from './lora/config.ts';
export { LoraTuner } from './lora/lora-tuner.ts';
export type { LowRankModule } from './low-rank/factors.ts';
export { checkPatternKeys, patternValue } from './low-rank/patterns-and-scales.ts';
export { asStored, type PeftAdapter, peftAdapter } from './low-rank/peft-config.ts';
export { plainLora } from './low-rank/plain-lora.ts';
export {
  type ContinuesAdapters,
  type DefinedMethods,
  defineMethod,
  type MethodDefinition,
  type MethodTexts,
} from './method-definition.ts';
export { type AllocationEvent, type MethodRun, staticRun } from './method-run.ts';
export { type OwnAdapters, ownAdapters } from './own-adapters.ts';
export { ParameterLayout } from './parameter-layout.ts';
export {
  assertShape,
  isOwnTensor,
  type PeftFiles,
  peftSettings,
  type ReadPeft,
  readPeft,
  type WrittenPeft,
  writePeft,
} from './peft/peft-files.ts';
export { findKind, METHOD_NAMES, METHODS, type MethodName, methodNamed } from './registry.ts';
export { adaptedModules, defaultTargets } from './targets/adapted-modules.ts';
export { matchTargets, type TargetSelection } from './targets/match-targets.ts';
export {
  FROZEN,
  FrozenTensors,
  type ReadRange,
  type TunableModel,
  type TunedSite,
  type TunedValues,
  type Tuner,
} from './tuner.ts';
export { savedParameters, WholeParameters } from './whole-parameters.ts';
