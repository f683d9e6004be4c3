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
export { scoreLogarithms } from './allocation/importance.ts';
export { type PromisedBudget, promisedBudget } from './allocation/promised-budget.ts';
export { keptIndices, type PrunedModule } from './allocation/pruned-module.ts';
export {
  type AllocationSchedule,
  assumedPhases,
  budgetAt,
  finalStep,
  maskingSteps,
  masksAt,
  resolveSchedule,
  scheduleShape,
} from './allocation/schedule.ts';
export { type AdaLoraConfig, adaLoraConfigSchema } from './composed/pruned-triplets.ts';
export { tripletMethod, tripletShape } from './composed/triplet-method.ts';
export { elasticLora, elasticShape, storeTriplets } from './elastic/elastic-lora.ts';
export {
  changedTriplets,
  type Draw,
  type ModuleChange,
  type RankPolicy,
  seeded,
} from './elastic/elastic-run.ts';
export { everyParameter } from './full/definition.ts';
export { type LoraConfig, loraConfigSchema } from './lora/config.ts';
export { loraKind, rankKeys, storeRanked } from './lora/lora-files.ts';
export { LoraTuner } from './lora/lora-tuner.ts';
export { topSingular, WeightMatrix } from './lora/top-singular.ts';
export { factorName, type LowRankModule } from './low-rank/factors.ts';
export {
  adaLoraAlpha,
  adaLoraScale,
  checkPatternKeys,
  patternValue,
} from './low-rank/patterns-and-scales.ts';
export { adapterConfigShape, asStored, type PeftAdapter, peftAdapter } from './low-rank/peft-config.ts';
export { plainLora } from './low-rank/plain-lora.ts';
export {
  type ContinuesAdapters,
  type DefinedMethods,
  defineMethod,
  type MethodDefinition,
  type MethodTexts,
} from './method-definition.ts';
export {
  type AllocationEvent,
  type GradientAt,
  type InputsOf,
  type MeasuredAllocation,
  type Measurement,
  type MethodRun,
  staticRun,
} from './method-run.ts';
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
export { adaptedModules, defaultTargets, withTargets } from './targets/adapted-modules.ts';
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
