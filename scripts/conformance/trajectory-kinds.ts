import { PEFT_PREFIX } from '../../src/formats/adapters/stored-adapter.ts';
import { parseAdapterKey } from '../../src/tuners/low-rank/adapter-keys.ts';
import type { MethodName } from '../../src/tuners/registry.ts';
import { Skipped } from './read-case.ts';

type Settings = Readonly<Record<string, unknown>>;

/** How trajectories of a kind are replayed. */
export interface TrajectoryKind {
  method: MethodName;
  /** The method's section of a config, from the settings in the trace; by default it is those. */
  section(settings: Settings): Settings;
  /** Keys of its `adapter_config.json` whose values mean nothing, or are not written as they were given. */
  notCompared: readonly string[];
  /** Whether our adapter leaves out what the reference keeps as zeros: then its answers are compared, not its files. */
  isCompact?: boolean;
  /** Our name of a recorded tensor; undefined for one without a meaning of its own. */
  ourName(recorded: string): string | undefined;
}

/** PEFT's keys that a start from given values, on linear layers, makes void. */
const VOID = ['fan_in_fan_out'];
/** PEFT's keys that its AdaLoRA takes and does not look at. */
const VOID_FOR_ADALORA = ['r', 'use_rslora', 'alpha_pattern'];
/** PEFT adds the heads of all its architectures to the list that it is given, and so to the trace. */
const HEADS = ['classifier', 'score', 'qa_outputs'];
/**
 * Keys whose values PEFT does not write as they were given: it resolves `all-linear` to names, lists target modules in
 * no order, and always names the heads of all its architectures. The tensors show what is adapted and saved.
 */
const REWRITTEN = ['target_modules', 'modules_to_save'];

/** What scores words, which AdapterHub saves with a head and does not train. */
const WORD_SCORES = /^(lm_head|cls\.predictions)\.(weight|bias|decoder\..*)$|^final_logits_bias$/;
/** AdapterHub names tensors as we do, and no base that was made in memory. */
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

/** @throws Skipped for a kind of which there is no method */
export function trajectoryKind(name: string): TrajectoryKind {
  if (!isReplayed(name)) throw new Skipped(`no method for trajectories of kind ${name}`);
  return { section: (settings) => settings, notCompared: [], ourName: nameInPeft, ...KINDS[name] };
}

/** A factor, or a parameter of the model, by PEFT's name. Its allocator names tensors from the inner model on. */
function nameInPeft(recorded: string): string | undefined {
  return parseAdapterKey(recorded.startsWith(PEFT_PREFIX) ? recorded : PEFT_PREFIX + recorded);
}

/** The settings of a method of PEFT's, without what replaying them makes void. */
function peftSection({ modules_to_save: given, ...settings }: Settings): Settings {
  const saved = ((given ?? []) as string[]).filter((name) => !HEADS.includes(name));
  return { ...without(settings, VOID), ...(saved.length > 0 && { modules_to_save: saved }) };
}

function without(settings: Settings, keys: readonly string[]): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !keys.includes(key)));
}
