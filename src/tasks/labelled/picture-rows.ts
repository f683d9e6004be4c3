import { type OnSkipped, type Row, RowProblems, unreadablePicture } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { alikePictures } from '../../input/pictures/alike.ts';
import type { Picture } from '../../input/pictures/picture-reader.ts';

/**
 * Gives rows of a file their pictures.
 *
 * @param onSkipped called with the reasons and the number of rows without a picture, if they are to be skipped
 * @throws UserError that lists all pictures that cannot be read, with their lines
 */
export function rowsWithPictures(
  rows: readonly Row[],
  { name, pictures }: Pick<TextFile, 'name' | 'pictures'>,
  onSkipped: OnSkipped | undefined,
): Row[] {
  if (!pictures) return [...rows];
  const problems = new RowProblems(name);
  const shown = rows.flatMap((row): Row[] => {
    const picture = pictures.get(row.text);
    if (picture && !(picture instanceof Error)) return [{ ...row, picture }];
    problems.add(row.line, unreadablePicture(picture?.message ?? row.text));
    return [];
  });
  if (onSkipped) problems.tellSkipped(shown.length, onSkipped);
  else problems.throwIfAny();
  return shown;
}

/** Names the groups of near-equal pictures, so that they stay on one side of a split. */
export function withAlike(rows: readonly Row[]): Row[] {
  const pictures = rows.map(({ picture }) => picture);
  if (!pictures.every((picture): picture is Picture => picture !== undefined)) return [...rows];
  const first = alikePictures(pictures);
  return rows.map((row, i) => ({ ...row, alike: pictures[first[i]!]!.digest }));
}

/** A notice about near-equal pictures in a file. */
export function alikeNotice(rows: readonly Row[]): string | undefined {
  const names = new Map<string, string[]>();
  for (const { alike, text } of rows) if (alike) names.set(alike, [...(names.get(alike) ?? []), text]);
  const groups = [...names.values()].filter((group) => group.length > 1);
  if (groups.length === 0) return undefined;
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  return `${count} pictures are nearly equal to another one, such as ${groups[0]!.slice(0, 2).join(' and ')}. They stay on one side of a split.`;
}
