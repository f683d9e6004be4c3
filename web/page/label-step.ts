import { describeReview, type LabelAction, type LabelState } from '../../src/studies/jobs/label-session.ts';
import { countedNoun } from '../../src/studies/report/format.ts';
import { markup } from '../../src/studies/report/markup.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import type { BegunLabels } from '../worker/messages.ts';
import { element, save } from './element.ts';

/** Maximum number of labeled rows to list, the newest first, and of their characters. */
const [MAX_LISTED, MAX_CHARACTERS] = [50, 120];
const KEYS: Readonly<Record<string, 'skip' | 'undo' | 'check'>> = { s: 'skip', u: 'undo', c: 'check' };
const KEPT = 'Every label is saved in this browser at once.';
const UNKEPT = 'This browser cannot save labels. Download them before you close this tab.';

/**
 * Labels the texts of a file without labels, by buttons or by keys while the focus is in this step.
 *
 * @param onBegin called when labeling begins
 * @param onTrain called with a file of the labeled rows
 * @returns a function that hides the step
 */
export function labelStep(desk: RemoteDesk, onBegin: () => void, onTrain: (file: File) => void): () => void {
  const at = (id: string) => element(id, HTMLElement);
  const [section, kept, asked, note] = [at('labeling'), at('kept-labels'), at('asked'), at('asked-note')];
  const [title, buttons, list] = [at('labeling-title'), at('label-buttons'), at('given')];
  const problem = at('labeling-problem');
  const words = element('words', HTMLInputElement);
  const filter = element('given-label', HTMLSelectElement);
  let begun: BegunLabels | undefined;
  let isBusy = false;

  /** One action at a time, because a key that is pressed early would label a row that is not yet shown. */
  async function alone(target: HTMLElement, work: () => Promise<void>): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    target.textContent = '';
    try {
      await work();
    } catch (error) {
      target.textContent = (error as Error).message;
    } finally {
      isBusy = false;
    }
  }

  const begin = (column: number | undefined, names: readonly string[], target: HTMLElement) =>
    alone(target, async () => {
      const line = at(column === undefined ? 'kept-labels-line' : 'label-progress');
      begun = await desk.beginLabels(column, names, (share) => {
        line.textContent = `Reading the rows: ${Math.round(100 * share)} %`;
      });
      line.textContent = '';
      onBegin();
      kept.hidden = true;
      section.hidden = false;
      title.textContent = `Label ${begun.fileName}`;
      at('labeling-note').textContent = begun.isKept ? KEPT : UNKEPT;
      const labels = begun.state.counts.map(([label]) => label);
      buttons.innerHTML =
        markup`${labels.map((_, i) => markup`<button type="button" aria-keyshortcuts="${i + 1}"></button>`)}`.text;
      filter.innerHTML = markup`${labels.map((label) => markup`<option>${label}</option>`)}`.text;
      show(begun.state);
      title.focus();
    });

  const act = (action: LabelAction) =>
    alone(problem, async () => {
      show(await desk.label(action));
    });

  function show(state: LabelState): void {
    begun!.state = state;
    const { counts, labeled, rows, notice } = state;
    const reviewed = describeReview(state).join(' ');
    at('labeling-state').textContent =
      `${labeled} of ${countedNoun(rows, 'row')} labeled. ${reviewed}`.trim();
    asked.textContent = state.asked?.text ?? 'All rows have an answer.';
    const { guess, earlier } = state.asked ?? {};
    note.textContent = [
      ...(notice === undefined ? [] : [notice]),
      ...(earlier === undefined ? [] : [`You labeled it ${earlier}.`]),
      ...(guess ? [`Guess: ${guess.label} (${Math.round(100 * guess.probability)} %).`] : []),
    ].join(' ');
    for (const [i, button] of [...buttons.children].entries())
      button.textContent = `${i + 1} ${counts[i]![0]} (${counts[i]![1]})`;
    showGiven();
  }

  function showGiven(): void {
    const { rows, state } = begun!;
    const chosen = state.answers.filter(({ label }) => label === filter.value);
    const items = chosen.slice(-MAX_LISTED).reverse();
    list.innerHTML = markup`${items.map(
      ({ row }) =>
        markup`<li><button type="button" class="link" value="${row}">${rows[row]!.text.slice(0, MAX_CHARACTERS)}</button></li>`,
    )}`.text;
  }

  const onClick = (id: string, work: () => unknown) => at(id).addEventListener('click', work);
  const name = (ending: string) => `${begun!.fileName.replace(/\.[^.]*$/, '')}-labeled.${ending}`;
  const file = async (form: 'csv' | 'jsonl') => new File([await desk.labeled(form)], name(form));
  for (const action of Object.values(KEYS)) onClick(action, () => act(action));
  buttons.addEventListener('click', ({ target }) => {
    const label = begun!.state.counts[[...buttons.children].indexOf(target as Element)]?.[0];
    if (label !== undefined) void act({ label });
  });
  list.addEventListener('click', ({ target }) => {
    if (target instanceof HTMLButtonElement) void act({ row: Number(target.value) });
  });
  filter.addEventListener('change', showGiven);
  section.addEventListener('keydown', (event) => {
    const { key, target, repeat, ctrlKey, altKey, metaKey } = event;
    if (repeat || ctrlKey || altKey || metaKey || target === words || target === filter) return;
    const label = begun?.state.counts[Number(key) - 1]?.[0];
    if (label !== undefined) void act({ label });
    else if (KEYS[key]) void act(KEYS[key]);
    else if (key === '/') words.focus();
    else return;
    event.preventDefault();
  });
  element('find', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    await act({ find: words.value });
    title.focus();
  });
  for (const form of ['csv', 'jsonl'] as const)
    onClick(`save-${form}`, async () => save(await file(form), name(form)));
  onClick('train-labeled', async () => {
    onTrain(await file('csv'));
    section.hidden = false;
  });
  onClick('discard-labels', async () => {
    if (!confirm('Delete all labels of this file from this browser?')) return;
    await desk.discardLabels();
    section.hidden = true;
    element('input', HTMLInputElement).focus();
  });
  element('label-names', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const names = element('names', HTMLInputElement)
      .value.split(',')
      .map((label) => label.trim());
    const column = Number(element('input-column', HTMLSelectElement).value);
    void begin(column, names.filter(Boolean), at('label-problem'));
  });
  onClick('continue-labels', () => begin(undefined, [], at('kept-labels-problem')));
  void desk.keptLabels().then((found) => {
    if (!found || begun) return;
    kept.hidden = false;
    at('kept-labels-line').textContent =
      `This browser has ${countedNoun(found.answers, 'answer')} to rows of ${found.fileName}.`;
  });
  return () => {
    section.hidden = true;
  };
}
