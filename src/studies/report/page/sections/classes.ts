import { classRows } from '../../../../scores/metrics/classes.ts';
import type { EventOf, FinishEvent } from '../../../../training/run/events.ts';
import { score } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { finalConfusion } from '../../run/run-record.ts';
import { headedTable, scrolling } from '../section.ts';

/** Scores and confusions of each class, and the most confident wrong predictions, from the first run of each group. */
export function classes(groups: readonly RunGroup[]): Markup | undefined {
  const tables = groups.flatMap(({ label, runs }) => {
    const [run] = runs;
    const confusion = run && finalConfusion(run);
    const mistakes = run?.finish?.mistakes ?? [];
    if (!confusion && mistakes.length === 0) return [];
    const whose = [
      groups.length > 1 ? label : '',
      runs.length > 1 ? `seed ${run.facts.seed} of ${runs.length}` : '',
    ];
    const name = whose.filter((part) => part !== '').join(', ');
    const title = name !== '' && markup`<p>${name}</p>`;
    const tables = [confusion && classesTable(name, confusion), wrongPredictions(name, mistakes)];
    return [markup`${title}${tables}`];
  });
  return tables.length > 0 ? markup`${tables}` : undefined;
}

function classesTable(label: string, confusion: EventOf<'confusion'>): Markup {
  const head = [
    '',
    'Precision',
    'Recall',
    'F1',
    'Rows',
    ...confusion.labels.map((name) => `predicted ${name}`),
  ];
  const rows = classRows(confusion, score).map(
    ([name, ...cells]) =>
      markup`<tr><th scope="row">${name}</th>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>`,
  );
  const name = label === '' ? 'Classes' : `Classes, ${label}`;
  return scrolling(name, headedTable(head, rows));
}

function wrongPredictions(label: string, mistakes: NonNullable<FinishEvent['mistakes']>) {
  if (mistakes.length === 0) return undefined;
  const title = 'Most confident wrong predictions';
  const name = label === '' ? title : `${title}, ${label}`;
  const list = mistakes.some(({ picture }) => picture !== undefined)
    ? wrongPictures(mistakes)
    : wrongTexts(mistakes);
  return markup`<h3>${title}</h3><p class="note">Held-out or cross-validated rows whose predicted class is wrong. Some may have a wrong label.</p>${scrolling(name, list)}`;
}

function wrongTexts(mistakes: NonNullable<FinishEvent['mistakes']>): Markup {
  const rows = mistakes.map(({ text, text_pair, label, predicted, probability }) => {
    const texts = text_pair === undefined ? text : markup`${text}<br>${text_pair}`;
    return markup`<tr><td class="text">${texts}</td><td>${label}</td><td>${predicted}</td><td>${score(probability)}</td></tr>`;
  });
  return headedTable(['Text', 'Label', 'Predicted', 'Probability'], rows);
}

function wrongPictures(mistakes: NonNullable<FinishEvent['mistakes']>): Markup {
  const figures = mistakes.map(
    ({ text, picture, label, predicted, probability }) =>
      markup`<figure>${picture && markup`<img src="${picture}" alt="">`}<figcaption><b>${predicted}</b> ${score(probability)}, not ${label}<br>${text}</figcaption></figure>`,
  );
  return markup`<div class="wrong">${figures}</div>`;
}
