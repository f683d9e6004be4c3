import { UserError } from '../../../support/user-error.ts';
import { excerpt } from '../excerpt.ts';
import { PickleList } from './pickle-machine.ts';
import { TorchTensor } from './torch-tensor.ts';

/** The tensors of a dictionary, by name. Throws a UserError for any other value, as transformers does. */
export function* namedTensors(value: unknown, where: string): Generator<[string, TorchTensor]> {
  if (!(value instanceof Map)) {
    throw new UserError({
      where,
      fault: `must be a dictionary of tensors, got ${kindOf(value)}`,
      hint: SAVE_TENSORS,
    });
  }
  for (const [name, tensor] of value) {
    if (typeof name === 'string' && tensor instanceof TorchTensor) yield [name, tensor];
    else {
      const hint = tensor instanceof Map ? takeOut(excerpt(name)) : SAVE_TENSORS;
      throw new UserError({
        where,
        fault: `must be a dictionary of tensors, got ${kindOf(tensor)} under ${excerpt(name)}`,
        hint,
      });
    }
  }
}

const SAVE_TENSORS = 'Save the tensors alone: torch.save(model.state_dict(), ...).';

function takeOut(name: string): string {
  return `It is a training checkpoint. Save only the value of ${name} with torch.save.`;
}

function kindOf(value: unknown): string {
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof PickleList) return 'a list';
  if (value instanceof TorchTensor) return 'a tensor';
  if (value === null) return 'None';
  const kinds: Record<string, string> = { string: 'a text', number: 'a number', boolean: 'a truth value' };
  return kinds[typeof value] ?? 'something else';
}
