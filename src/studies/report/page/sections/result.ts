import { intervalPlot } from '../../chart/interval-plot.ts';
import { score } from '../../format.ts';
import { markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { groupInterval, intervalText } from '../../run/group-values.ts';
import { finalScores } from '../../run/run-record.ts';
import { scoreTitleIn } from '../../run/score-title.ts';
import { findingSentences, verdictSentence } from '../../verdict/verdict-sentence.ts';
import { figure, part, type Section, table, toneOf } from '../section.ts';
import { scoreByBudget } from './score-by-budget.ts';

/** Final scores. For several runs, a picture compares the main score. */
export function result(groups: readonly RunGroup[]): Section {
  const names = scoreNames(groups);
  const section = { id: 'result', title: 'Result' };
  if (names.length === 0) return section;
  const rows = names.map((name) => [
    scoreTitleIn(groups, name),
    ...groups.map((group) =>
      intervalText(
        groupInterval(group, (run) => finalScores(run).get(name)),
        score,
      ),
    ),
  ]);
  const scores = markup`${part('result-verdict', verdicts(groups))}${part('result-table', table('Result', groups, rows))}`;
  const figures = [spread(groups, names[0]!), scoreByBudget(groups, names[0]!)];
  // Many columns need the full width.
  const body =
    groups.length > 2
      ? markup`${scores}<div class="figures">${figures}</div>`
      : markup`<div class="pair">${scores}${figures}</div>`;
  return { ...section, body };
}

/**
 * Maximum number of runs for which each verdict is written out. With more runs, only those that learned nothing get
 * one.
 */
const MAX_JUDGED = 4;

function verdicts(groups: readonly RunGroup[]) {
  const isFew = groups.reduce((sum, { runs }) => sum + runs.length, 0) <= MAX_JUDGED;
  return groups.flatMap(({ runs, label }) =>
    runs.flatMap(({ finish, name }) => {
      const verdict = finish?.verdict;
      if (!verdict || (!isFew && verdict.learnt)) return [];
      const run = groups.length > 1 || runs.length > 1 ? `${runs.length > 1 ? name : label}: ` : '';
      const findings = findingSentences(verdict).map(
        (text) => markup`<p${!verdict.learnt && markup` class="bad"`}>${text}</p>`,
      );
      return [markup`<p>${run}${verdictSentence(verdict)}.</p>${findings}`];
    }),
  );
}

function spread(groups: readonly RunGroup[], name: string) {
  if (groups.every(({ runs }) => runs.length === 1) && groups.length < 2) return undefined;
  const rows = groups.map((group, i) => ({
    label: group.label,
    tone: toneOf(i),
    values: group.runs.map((run) => finalScores(run).get(name) ?? Number.NaN),
    names: group.runs.map((run) => `${run.name === '' ? group.label : run.name}, seed ${run.facts.seed}`),
  }));
  const id = 'result-spread';
  const title = `${scoreTitleIn(groups, name)} of every run`;
  const several = groups.some(({ runs }) => runs.length > 1);
  const caption = several
    ? `${title}: one dot per run; strokes are means, lines their 95 % intervals.`
    : `${title}.`;
  return figure({
    id,
    picture: intervalPlot({ id, title, description: caption, name: scoreTitleIn(groups, name), rows }),
    caption,
  });
}

/** Names of the scores of all runs, the main score first and the loss last. */
export function scoreNames(groups: readonly RunGroup[]): string[] {
  const runs = groups.flatMap((group) => group.runs);
  const names = new Set(runs.flatMap((run) => [...finalScores(run).keys()]));
  const chief = runs[0]?.facts.training.metric_for_best_model;
  const order = (name: string) => (name === chief ? -1 : name === 'loss' ? 1 : 0);
  return [...names].sort((a, b) => order(a) - order(b));
}
