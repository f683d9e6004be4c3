import {
  describeGuess,
  describeReview,
  type LabelAction,
  type LabelState,
  labelWords,
} from '../../src/studies/jobs/label-session.ts';
import { countedNoun } from '../../src/studies/report/format.ts';
import { markup } from '../../src/studies/report/markup.ts';
import type { ChosenFile } from '../data/read-chosen.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import type { BegunLabels, LabelWish } from '../worker/messages.ts';
import { element, save } from './element.ts';

/** Maximum number of labeled rows to list, the newest first, and of their characters. */
const [MAX_LISTED, MAX_CHARACTERS] = [50, 120];
const KEYS = { n: 'next', s: 'skip', u: 'undo', c: 'check' } as const;
const KEPT = 'Every label is saved in this browser at once.';
const UNKEPT = 'This browser cannot save labels. Download them before you close this tab.';

/**
 * Labels the rows of a file without labels, by buttons or by keys while the focus is in this step.
 *
 * @param model returns the chosen model
 * @param onBegin called when labeling begins
 * @param onTrain called with the labeled rows
 * @returns a function that hides the step
 */
export function labelStep(
  desk: RemoteDesk,
  model: () => LabelWish['model'],
  onBegin: () => void,
  onTrain: (files: readonly ChosenFile[]) => void,
): () => void {
  const at = (id: string) => element(id, HTMLElement);
  const [section, kept, asked, note] = [at('labeling'), at('kept-labels'), at('asked'), at('asked-note')];
  const [title, buttons, list] = [at('labeling-title'), at('label-buttons'), at('given')];
  const [problem, next, second] = [at('labeling-problem'), at('next'), at('asked-second')];
  const picture = element('asked-picture', HTMLImageElement);
  const words = element('words', HTMLInputElement);
  const filter = element('given-label', HTMLSelectElement);
  let begun: BegunLabels | undefined;
  let isMoving = false;
  let last = Promise.resolve();

  /**
   * Works after what came before; while a row is on its way, not at all, because a key that is pressed early would label a
   * row that is not yet shown.
   */
  async function alone(target: HTMLElement, work: () => Promise<void>, isMove = true): Promise<void> {
    if (isMoving) return;
    isMoving = isMove;
    const done = last.then(work);
    last = done.catch(() => {});
    target.textContent = '';
    try {
      await done;
    } catch (error) {
      target.textContent = (error as Error).message;
    } finally {
      if (isMove) isMoving = false;
    }
  }

  const begin = (wish: LabelWish | undefined, target: HTMLElement) =>
    alone(target, async () => {
      const line = at(wish ? 'label-progress' : 'kept-labels-line');
      begun = await desk.beginLabels(wish, (share) => {
        line.textContent = `Reading the rows: ${Math.round(100 * share)} %`;
      });
      line.textContent = '';
      onBegin();
      kept.hidden = true;
      section.hidden = false;
      title.textContent = `Label ${begun.fileName}`;
      at('labeling-note').textContent = begun.isKept ? KEPT : UNKEPT;
      next.hidden = !begun.several;
      const labels = begun.state.counts.map(([label]) => label);
      buttons.innerHTML =
        markup`${labels.map((_, i) => markup`<button type="button" aria-keyshortcuts="${i + 1}"></button>`)}`.text;
      filter.innerHTML = markup`${labels.map((label) => markup`<option>${label}</option>`)}`.text;
      show(begun.state);
      title.focus();
    });

  const act = (action: LabelAction) => {
    const isChoice = begun!.several && typeof action === 'object' && 'label' in action;
    return alone(problem, async () => show(await desk.label(action)), !isChoice);
  };

  /** Shows the asked row: a text, a pair, or a picture. */
  function showAsked({ text, text_pair }: NonNullable<LabelState['asked']>): void {
    if (!begun!.isPictures) {
      asked.textContent = text;
      second.textContent = text_pair ?? '';
      return;
    }
    if (picture.alt === text) return;
    picture.alt = text;
    void desk.labelPicture(text).then((blob) => {
      if (picture.alt !== text) return;
      URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(blob);
    });
  }

  function show(state: LabelState): void {
    begun!.state = state;
    const { counts, labeled, rows, notice } = state;
    const reviewed = describeReview(state).join(' ');
    at('labeling-state').textContent =
      `${labeled} of ${countedNoun(rows, 'row')} labeled. ${reviewed}`.trim();
    const { guess, earlier, chosen } = state.asked ?? {};
    [asked.textContent, second.textContent] = [state.asked ? '' : 'All rows have an answer.', ''];
    picture.hidden = !begun!.isPictures || !state.asked;
    if (state.asked) showAsked(state.asked);
    note.textContent = [
      ...(notice === undefined ? [] : [notice]),
      ...(earlier === undefined ? [] : [`You labeled it ${labelWords(earlier)}.`]),
      ...(guess ? [describeGuess(guess)] : []),
    ].join(' ');
    for (const [i, button] of [...buttons.children].entries()) {
      if (begun!.several) button.setAttribute('aria-pressed', `${chosen?.includes(counts[i]![0]) ?? false}`);
      button.textContent = `${i + 1} ${counts[i]![0]} (${counts[i]![1]})`;
    }
    showGiven();
  }

  function showGiven(): void {
    const { rows, state } = begun!;
    const chosen = state.answers.filter(({ labels }) => labels?.includes(filter.value));
    const items = chosen.slice(-MAX_LISTED).reverse();
    list.innerHTML = markup`${items.map(
      ({ row }) =>
        markup`<li><button type="button" class="link" value="${row}">${rows[row]!.text.slice(0, MAX_CHARACTERS)}</button></li>`,
    )}`.text;
  }

  const onClick = (id: string, work: () => unknown) => at(id).addEventListener('click', work);
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
    else if (isKey(key)) void act(KEYS[key]);
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
    onClick(`save-${form}`, async () => {
      const file = await desk.labeled(form);
      save(file, file.name);
    });
  onClick('train-labeled', async () => {
    onTrain(await desk.labeledFiles());
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
    const { value } = element('second-column', HTMLSelectElement);
    const wish = {
      input: Number(element('input-column', HTMLSelectElement).value),
      second: value === '' ? undefined : Number(value),
      labels: names.filter(Boolean),
      several: element('several', HTMLInputElement).checked,
      model: model(),
    };
    void begin(wish, at('label-problem'));
  });
  onClick('continue-labels', () => begin(undefined, at('kept-labels-problem')));
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

function isKey(key: string): key is keyof typeof KEYS {
  return Object.hasOwn(KEYS, key);
}
