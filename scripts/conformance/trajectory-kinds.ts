import { PEFT_PREFIX } from '../../src/formats/adapters/stored-adapter.ts';
import { parseAdapterKey } from '../../src/tuners/low-rank/adapter-keys.ts';
import type { MethodName } from '../../src/tuners/registry.ts';
import { Skipped } from './read-case.ts';

type Settings = Readonly<Record<string, unknown>>;

/** How trajectories of a kind are replayed. */
export interface TrajectoryKind {
  method: MethodName;
  /** The method's section of a config, from the settings in the trace; by default the settings themselves. */
  section(settings: Settings): Settings;
  /** Keys of its `adapter_config.json` whose values have no meaning, or are not written as given. */
  notCompared: readonly string[];
  /**
   * Whether our adapter omits zeros that the reference keeps: then its predictions are compared instead of its files.
   */
  isCompact?: boolean;
  /** Our name of a recorded tensor; undefined for one that is not compared. */
  ourName(recorded: string): string | undefined;
}

/** PEFT's keys without effect for given initial values on linear layers. */
const VOID = ['fan_in_fan_out'];
/** PEFT's keys that its AdaLoRA accepts and ignores. */
const VOID_FOR_ADALORA = ['r', 'use_rslora', 'alpha_pattern'];
/** PEFT adds the heads of all its architectures to the given list, and so to the trace. */
const HEADS = ['classifier', 'score', 'qa_outputs'];
/**
 * Keys that PEFT does not write as given: it resolves `all-linear` to names, lists target modules in arbitrary order,
 * and always adds the heads of all its architectures. The tensors show which modules are adapted and saved.
 */
const REWRITTEN = ['target_modules', 'modules_to_save'];

/** The modules that score words, which AdapterHub saves with a head and does not train. */
const WORD_SCORES = /^(lm_head|cls\.predictions)\.(weight|bias|decoder\..*)$|^final_logits_bias$/;
/** AdapterHub's tensor names equal ours, and it does not name a base that was made in memory. */
const ADAPTERHUB = {
  notCompared: ['model_name'],
  ourName: (recorded: string) => (WORD_SCORES.test(recorded) ? undefined : recorded),
};

/** By `tuner.kind` of a trace. A new method's trajectories are one entry here. */
const KINDS: Readonly<Record<string, Pick<TrajectoryKind, 'method'> & Partial<TrajectoryKind>>> = {
  LORA: { method: 'lora', section: peftSection, notCompared: REWRITTEN },
  ADALORA: {
    method: 'adalora',
    // PEFT keeps dropped rows until it saves.
    section: (settings) => ({ ...without(peftSection(settings), VOID_FOR_ADALORA), shrink: 'at-export' }),
    notCompared: [...REWRITTEN, ...VOID_FOR_ADALORA],
  },
  IA3: { method: 'ia3', section: peftSection, notCompared: [...REWRITTEN, 'feedforward_modules'] },
  VERA: { method: 'vera', section: peftSection, notCompared: REWRITTEN, ourName: nameOfVera },
  BITFIT: { method: 'bitfit' },
  SVD_LORA: {
    method: 'svd_lora',
    section: ({ init_r, ...settings }) => ({ ...settings, r: init_r }),
    notCompared: REWRITTEN,
  },
  LORA_REGU: { method: 'lora', notCompared: REWRITTEN },
  PRUNE_LORA: {
    method: 'prune_lora',
    section: (settings) => ({ ...settings, shrink: 'at-export' }),
    isCompact: true,
  },
  HOULSBY: { method: 'houlsby', ...ADAPTERHUB },
  PFEIFFER: { method: 'pfeiffer', ...ADAPTERHUB },
};

/** Whether there is a method for a kind. */
export function isReplayed(kind: string): boolean {
  return Object.hasOwn(KINDS, kind);
}

/**
 * @throws Skipped for a kind without a method
 */
export function trajectoryKind(name: string): TrajectoryKind {
  if (!isReplayed(name)) throw new Skipped(`no method for trajectories of kind ${name}`);
  return { section: (settings) => settings, notCompared: [], ourName: nameInPeft, ...KINDS[name] };
}

/** A factor, or a parameter of the model, by PEFT's name. Its allocator's tensor names start at the inner model. */
function nameInPeft(recorded: string): string | undefined {
  return parseAdapterKey(recorded.startsWith(PEFT_PREFIX) ? recorded : PEFT_PREFIX + recorded);
}

/** VeRA's shared matrices are stored outside the model. */
function nameOfVera(recorded: string): string | undefined {
  return /^base_model\.vera_[AB]$/.test(recorded)
    ? recorded.slice('base_model.'.length)
    : nameInPeft(recorded);
}

/** The settings of a PEFT method, without those that have no effect in a replay. */
function peftSection({ modules_to_save: given, ...settings }: Settings): Settings {
  const saved = ((given ?? []) as string[]).filter((name) => !HEADS.includes(name));
  return { ...without(settings, VOID), ...(saved.length > 0 && { modules_to_save: saved }) };
}

function without(settings: Settings, keys: readonly string[]): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !keys.includes(key)));
}
