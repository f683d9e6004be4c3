import { scaleVariant, termVariant, withVariants } from '../low-rank/variants.ts';

const STARTS: Readonly<Record<string, string>> = { pissa: 'PiSSA', olora: 'OLoRA', loftq: 'LoftQ' };

/** The papers' name for LoRA with these settings. */
export function loraTitle(settings: Readonly<Record<string, unknown>>): string {
  const { orth_reg_weight = 0, orthogonality, use_rslora, scale, allocation, ...rest } = settings;
  const { use_dora, lorafa, loraplus_lr_ratio: ratio = 1, init_lora_weights: init } = rest;
  const plus = Number(ratio) === 1 ? '' : '+';
  const title = use_dora === true ? `DoRA${plus}` : lorafa === true ? 'LoRA-FA' : `LoRA${plus}`;
  return withVariants(Number(orth_reg_weight) > 0 ? `${title} + R` : title, [
    typeof init === 'string' ? `${STARTS[init.slice(0, 5)]} start` : [],
    termVariant({ orth_reg_weight, orthogonality }),
    allocation === 'before-training' ? 'ranks before training' : [],
    scaleVariant({ scale: use_rslora === true ? 'rslora' : scale }),
  ]);
}
