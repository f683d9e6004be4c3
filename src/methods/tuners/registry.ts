import type { z } from 'zod';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { UserError } from '../../support/user-error.ts';
import type { AdapterKind } from './adapter-kind.ts';
import { bitFit } from './bitfit/definition.ts';
import { houlsby, pfeiffer } from './bottleneck/bottleneck-method.ts';
import { adaDora, adaLora, iguLora } from './composed/pruned-triplets.ts';
import { svdLora } from './composed/triplet-method.ts';
import { elaLora } from './elalora/definition.ts';
import { full } from './full/definition.ts';
import { ia3 } from './ia3/definition.ts';
import { lora } from './lora/definition.ts';
import { type AnyMethod, type MethodTexts, methods } from './method-definition.ts';
import { pruneLora } from './prune-lora/definition.ts';

/** The built-in methods, by name in a config. To add a method, add a folder here and an entry below. */
export const METHODS = {
  /** AdaLoRA: low-rank triplets; their budget moves to the modules that need it. */
  adalora: adaLora,
  /** LoRA: two factors of one rank for each module. */
  lora,
  /** AdaLoRA's triplets with DoRA's magnitude. */
  adadora: adaDora,
  /** AdaLoRA's triplets, scored by integrated gradients and their uncertainty. */
  igulora: iguLora,
  /** AdaLoRA's triplets. They move to modules where they matter more. */
  elalora: elaLora,
  /** AdaLoRA's triplets at a constant rank. */
  svd_lora: svdLora,
  /** LoRA's pairs of factors, pruned by AdaLoRA's rules. */
  prune_lora: pruneLora,
  /** (IA)³: a factor for each activation of some modules. */
  ia3,
  bitfit: bitFit,
  /** A small layer after attention, and another after the feed-forward network. */
  houlsby,
  /** A small layer after the feed-forward network. */
  pfeiffer,
  full,
};

export type MethodName = keyof typeof METHODS;

/** Methods with their own section in a config. */
type Configured = {
  [Name in MethodName]: (typeof METHODS)[Name]['config'] extends undefined ? never : Name;
}[MethodName];
type SchemaOf<Name extends Configured> = Extract<(typeof METHODS)[Name]['config'], z.ZodObject>;

/** The sections of a config by method, as written and with all defaults filled in. */
export type SectionInputs = {
  [Name in keyof Pick<typeof METHODS, Configured>]: z.input<SchemaOf<Name>>;
};
export type Sections = { [Name in Configured]: z.output<SchemaOf<Name>> };

methods.addBuiltIn(METHODS as unknown as Record<MethodName, AnyMethod>);

/** Names of all methods, including methods that programs define. The array grows with `defineMethod`. */
export const METHOD_NAMES = methods.names as [MethodName, ...MethodName[]];

/** The method of a config that does not name one. */
export const DEFAULT_METHOD: MethodName = 'adalora';

/** The definition of a method, for settings that its own schema has checked. */
export function methodNamed(name: MethodName): AnyMethod {
  return methods.named(name);
}

/** The texts about a method. A report may show runs of a method that is not defined here. */
export function readMethodTexts(name: string): MethodTexts {
  return methods.names.includes(name) ? methods.named(name).words : { title: name, tags: [] };
}

/** The address of the module that defines a method. Undefined for built-in methods. */
export function moduleOfMethod(name: MethodName): string | undefined {
  return methods.moduleOf(name);
}

/** Every kind of adapter file that a method writes. */
export function adapterKinds(): AdapterKind[] {
  return [...new Set(METHOD_NAMES.flatMap((name) => methodNamed(name).kind ?? []))];
}

/**
 * The kind of an adapter.
 *
 * @param where the adapter's config file for messages
 * @throws UserError if no method supports it
 */
export function findKind(stored: StoredAdapter, where: string): AdapterKind {
  const kind = adapterKinds().find(({ reads }) => reads(stored));
  if (kind) return kind;
  throw new UserError({
    where: `${where}: peft_type`,
    fault: `must be one of ${adapterKinds()
      .map(({ name }) => name)
      .join(', ')}, got ${JSON.stringify(stored.config.peft_type) ?? 'nothing'}`,
    code: 'unsupported',
  });
}
