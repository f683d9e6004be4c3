import { PEFT_PREFIX } from '../../src/input/formats/adapters/stored-adapter.ts';
import { parseAdapterKey } from '../../src/methods/tuners/low-rank/peft-config.ts';
import type { MethodName } from '../../src/methods/tuners/registry.ts';
import { Skipped } from './read-case.ts';

type Settings = Readonly<Record<string, unknown>>;

/** How to replay trajectories of a kind. */
export interface TrajectoryKind {
  method: MethodName;
  /** Converts the trace's settings to the method's section of a config. Default: no change. */
  section(settings: Settings): Settings;
  /**
   * Keys of `adapter_config.json` that are not compared, because they have no meaning or are not written as
   * given.
   */
  notCompared: readonly string[];
  /** Whether our adapter omits zeros that the reference keeps. Then predictions are compared, not files. */
  isCompact?: boolean;
  /** Our name of a recorded tensor; undefined if it is not compared. */
  ourName(recorded: string): string | undefined;
}

/** Keys of PEFT that have no effect here, because initial values are given and layers are linear. */
const VOID = ['fan_in_fan_out'];
/** Keys that PEFT's AdaLoRA accepts and ignores. */
const VOID_FOR_ADALORA = ['r', 'use_rslora', 'alpha_pattern'];
/** Names of heads. PEFT adds the heads of all its architectures to a given list, so the trace contains them. */
const HEADS = ['classifier', 'score', 'qa_outputs'];
/**
 * Keys that PEFT does not write as given. It resolves `all-linear` to names, lists target modules in
 * arbitrary order, and always adds the heads of all its architectures. The tensors show which modules are
 * adapted and saved.
 */
const REWRITTEN = ['target_modules', 'modules_to_save'];

/** Modules for output logits. AdapterHub saves them with a head, but does not train them. */
const WORD_SCORES = /^(lm_head|cls\.predictions)\.(weight|bias|decoder\..*)$|^final_logits_bias$/;
/** AdapterHub uses our tensor names. It does not record the name of a base model made in memory. */
const ADAPTERHUB = {
  notCompared: ['model_name'],
  ourName: (recorded: string) => (WORD_SCORES.test(recorded) ? undefined : recorded),
};

/** The kinds, by `tuner.kind` of a trace. To support trajectories of a new method, add an entry. */
const KINDS: Readonly<Record<string, Pick<TrajectoryKind, 'method'> & Partial<TrajectoryKind>>> = {
  LORA: { method: 'lora', section: peftSection, notCompared: REWRITTEN },
  ADALORA: {
    method: 'adalora',
    // PEFT drops rows only when it saves an adapter.
    section: (settings) => ({ ...without(peftSection(settings), VOID_FOR_ADALORA), shrink: 'at-export' }),
    notCompared: [...REWRITTEN, ...VOID_FOR_ADALORA],
  },
  IA3: { method: 'ia3', section: peftSection, notCompared: [...REWRITTEN, 'feedforward_modules'] },
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

/** Whether trajectories of a kind are supported. */
export function isReplayed(kind: string): boolean {
  return Object.hasOwn(KINDS, kind);
}

/** @throws Skipped for a kind that is not supported */
export function trajectoryKind(name: string): TrajectoryKind {
  if (!isReplayed(name)) throw new Skipped(`no method for trajectories of kind ${name}`);
  return { section: (settings) => settings, notCompared: [], ourName: nameInPeft, ...KINDS[name]! };
}

/**
 * Our name of a factor or a model parameter, given PEFT's. In the names of PEFT's allocator, the prefix is
 * missing.
 */
function nameInPeft(recorded: string): string | undefined {
  return parseAdapterKey(recorded.startsWith(PEFT_PREFIX) ? recorded : PEFT_PREFIX + recorded);
}

/** The settings of a PEFT method, without those that have no effect in a replay. */
function peftSection({ modules_to_save: given, ...settings }: Settings): Settings {
  const saved = ((given ?? []) as string[]).filter((name) => !HEADS.includes(name));
  return { ...without(settings, VOID), ...(saved.length > 0 && { modules_to_save: saved }) };
}

function without(settings: Settings, keys: readonly string[]): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !keys.includes(key)));
}
