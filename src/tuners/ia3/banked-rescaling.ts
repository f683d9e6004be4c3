import { multiply } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import type { BankedPart, BankForm } from '../bank/bank-form.ts';
import { byToken, tokenRows } from '../bank/bank-rows.ts';
import { IA3_PART, type Ia3Tuner } from './ia3-tuner.ts';

/** Rescales inputs or outputs of modules. */
const bankForm = (side: 'input' | 'output'): BankForm => ({
  key: `rescaled ${side}`,
  inject: (reader, rooms) => ({
    [side](path: string, x: Value) {
      if (!rooms.has(path)) return undefined;
      const factors = reader.read(path, [x.shape[1] as number], (pieces, slot) => {
        const piece = pieces.get(path);
        if (piece) slot.set(piece.tensors.factors!);
        else slot.fill(1);
      });
      return tokenRows(multiply(byToken(x), factors));
    },
  }),
});
const [INPUTS, OUTPUTS] = [bankForm('input'), bankForm('output')];

/** The factors of a tuner's modules. */
export function bankedRescaling({ modules, layout }: Ia3Tuner, values: Float32Array): BankedPart[] {
  const part = (form: BankForm, isOfInput: boolean): BankedPart => {
    const own = modules.filter(({ ofInput }) => ofInput === isOfInput);
    const factors = (path: string) => layout.read(values, `${path}.${IA3_PART}`);
    return {
      form,
      pieces: new Map(own.map(({ path }) => [path, { size: 1, tensors: { factors: factors(path) } }])),
    };
  };
  return [part(INPUTS, true), part(OUTPUTS, false)];
}
