import { markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { part, type Section } from '../section.ts';

/** Maximum number of notices in a report. */
const MAX_NOTES = 20;

export function notes(groups: readonly RunGroup[]): Section {
  const remarks = groups.flatMap((group) =>
    group.runs.flatMap(({ notices }) =>
      notices.map(({ message }) => (groups.length > 1 ? `${group.label}: ${message}` : message)),
    ),
  );
  const unique = [...new Set(remarks)];
  const section = { id: 'notes', title: 'Notes' };
  if (unique.length === 0) return section;
  const more = unique.length > MAX_NOTES && markup`<li>and ${unique.length - MAX_NOTES} more</li>`;
  const items = unique.slice(0, MAX_NOTES).map((remark) => markup`<li>${remark}</li>`);
  return { ...section, body: part('notes-list', markup`<ul>${items}${more}</ul>`) };
}
