import { UserError } from '../support/user-error.ts';
import { markAgreed } from './agreed.ts';
import { type Communicator, processName } from './communicator.ts';
import { gatherJson } from './messages.ts';

/** The maximum number of differences in one message. */
const MAX_NAMED = 5;

/**
 * Checks that facts are equal in all processes before they start.
 *
 * @param facts by display name
 * @throws UserError that names the facts that differ, and the first process that differs from process 0
 */
export function assertAgreed(communicator: Communicator, facts: Readonly<Record<string, string>>): void {
  const [first, ...others] = gatherJson(communicator, facts);
  for (const [i, other] of others.entries()) {
    const names = [...new Set([...Object.keys(first!), ...Object.keys(other)])];
    const differing = names.filter((name) => first![name] !== other[name]);
    if (differing.length === 0) continue;
    const said = (facts: Readonly<Record<string, string>>) =>
      differing
        .slice(0, MAX_NAMED)
        .flatMap((name) => (facts[name] === undefined ? [] : [`${name} ${facts[name]}`]));
    throw markAgreed(
      new UserError({
        where: processName(communicator, i + 1),
        fault: `has another config, data, model or version than ${processName(communicator, 0)}: ${said(other).join(', ') || 'nothing'} instead of ${said(first!).join(', ') || 'nothing'}`,
        hint: 'Give every host the same files and the same installation.',
      }),
    );
  }
}
