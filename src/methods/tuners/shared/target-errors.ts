import { nearest, suggest } from '../../../support/nearest.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TargetSelection } from '../target-modules.ts';

/** The error for an entry of `target_modules` that matches no linear layer. */
export function unknownTarget(target: string, paths: readonly string[]): UserError {
  return new UserError({
    where: 'target_modules',
    fault: `has "${target}", which is not a linear layer`,
    hint: suggestTarget(target, paths),
  });
}

/** The error for an empty selection. `targeted` is the selection before exclusions. */
export function nothingMatched(
  paths: readonly string[],
  targeted: readonly string[],
  selection: TargetSelection,
): UserError {
  const { target_modules: targets } = selection;
  if (targeted.length > 0) {
    return new UserError({
      key: 'target_modules',
      fault: `names ${targeted.length} layers, and exclude_modules or modules_to_save names all of them`,
    });
  }
  if (typeof targets === 'string') {
    const isName = paths.some((path) => path.endsWith(`.${targets}`));
    const hint = isName
      ? `Write [${targets}] for the layers of that name.`
      : `It must match the whole path. ${suggestTarget(targets, paths)}`;
    return new UserError({
      where: 'target_modules',
      fault: `is the regular expression "${targets}", which matches none of ${paths.length} linear layers`,
      hint,
    });
  }
  return new UserError({
    where: 'layers_to_transform',
    fault: `${selection.layers_to_transform} has no layer that contains ${targets.join(', ')}`,
  });
}

/** Suggests ends of paths without layer numbers (`query`, `output.dense`). */
function suggestTarget(target: string, paths: readonly string[]): string {
  const ends = paths.map((path) => path.split('.').slice(path.split('.').findLastIndex(isNumber) + 1));
  const suffixes = ends.flatMap((parts) => parts.map((_, i) => parts.slice(i).join('.')));
  const near = nearest(target, suffixes);
  if (near.length > 0) return `Did you mean ${near.join(', ')}?`;
  return suggest(target, new Set(ends.map((parts) => parts[parts.length - 1]!)));
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part);
}
