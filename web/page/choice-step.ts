import { counted, countedNoun } from '../../src/studies/report/format.ts';
import { type Markup, markup } from '../../src/studies/report/markup.ts';
import { NOUNS } from '../data/row-files.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import { GOAL_MEDIA, type Goal, type Wish } from '../worker/goal.ts';
import type { Choice, ChosenSettings, OpenedFile } from '../worker/messages.ts';
import { element } from './element.ts';
import { GOAL_WORDS } from './goal-words.ts';
import { labelBars } from './label-bars.ts';
import type { ModelStep } from './model-step.ts';

/** Maximum number of labels to list. The others are counted. */
const MAX_LISTED = 12;

export interface ChoiceStep {
  /** Removes the choices and messages until the next file is shown. */
  clear(): void;
  /** Shows a file; undefined for none. */
  show(file: OpenedFile | undefined): void;
  /** Locks or unlocks the controls. They are locked during a run. */
  lock(isLocked: boolean): void;
}

/**
 * The second step: the choice of a goal and its columns, and a summary of the data.
 *
 * @param onHeader called when the user changes whether the first line names the columns
 */
export function choiceStep(
  desk: RemoteDesk,
  models: ModelStep,
  onHeader: (header: boolean) => void,
  onTrain: (wish: Wish, settings: ChosenSettings) => void,
): ChoiceStep {
  const [goal, input, target] = ['goal', 'input-column', 'target-column'].map((id) =>
    element(id, HTMLSelectElement),
  ) as [HTMLSelectElement, HTMLSelectElement, HTMLSelectElement];
  const [epochs, rank] = ['epochs', 'rank'].map((id) => element(id, HTMLInputElement)) as [
    HTMLInputElement,
    HTMLInputElement,
  ];
  const header = element('header', HTMLInputElement);
  const button = element('train', HTMLButtonElement);
  const problem = element('choice-problem', HTMLElement);
  const counts = element('counts', HTMLElement);
  const section = element('choose', HTMLElement);
  let file: OpenedFile | undefined;
  let [isLocked, isReady, turn] = [false, false, 0];

  function setReady(ready: boolean): void {
    isReady = ready;
    button.disabled = !isReady || isLocked;
  }

  function reset(): void {
    turn++;
    setReady(false);
    problem.textContent = '';
  }

  function wish(): Wish {
    return { goal: goal.value as Goal, at: [Number(input.value), Number(target.value)] };
  }

  async function weigh(): Promise<void> {
    reset();
    const mine = turn;
    if (!file) return;
    const wished = wish();
    for (const [side, select] of [input, target].entries())
      element(`${select.id}-name`, HTMLElement).textContent = GOAL_WORDS[wished.goal].columns[side]!;
    const { contents } = file;
    element('preview', HTMLElement).innerHTML = contents
      ? examples(contents.examples).text
      : preview(file, wished.at).text;
    if (contents) void showExamples(mine);
    let choice: Choice | undefined;
    let message = '';
    try {
      choice = await desk.choose(wished);
    } catch (error) {
      ({ message } = error as Error);
    }
    if (mine !== turn) return;
    problem.textContent = message;
    if (message !== '') element('label-fold', HTMLDetailsElement).open = true;
    const noun = contents ? NOUNS[contents.medium] : 'row';
    counts.innerHTML = choice ? describeChoice(choice, noun, GOAL_WORDS[wished.goal].targets).text : '';
    setReady(choice !== undefined);
  }

  /** Loads the pictures or spectrograms of the preview one after the other, until another file is shown. */
  async function showExamples(mine: number): Promise<void> {
    for (const image of document.querySelectorAll<HTMLImageElement>('#preview img')) {
      if (mine !== turn) return;
      try {
        image.src = await desk.thumbnail(image.alt);
      } catch (error) {
        // The first file that cannot be decoded. Training would stop at all of them.
        if (mine === turn && problem.textContent === '') problem.textContent = (error as Error).message;
      }
    }
  }

  for (const select of [goal, input, target]) select.addEventListener('change', weigh);
  header.addEventListener('change', () => onHeader(header.checked));
  const form = element('choice', HTMLFormElement);
  // A browser reports an invalid field only if the field is visible.
  form.addEventListener(
    'invalid',
    ({ target }) => (target as Element).closest('details')?.setAttribute('open', ''),
    true,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const device = element('device', HTMLSelectElement).value as 'wasm' | 'webgpu' | '';
    const settings = {
      epochs: epochs.value === '' ? undefined : epochs.valueAsNumber,
      rank: rank.valueAsNumber,
      device: device || undefined,
      model: models.model(),
    };
    onTrain(wish(), settings);
  });

  function showContents(opened: OpenedFile): void {
    const { contents } = opened;
    for (const option of goal.options)
      option.disabled = GOAL_MEDIA[option.value as Goal] !== contents?.medium;
    element('columns', HTMLElement).hidden = isFolder(opened);
    // The page labels texts and pictures.
    element('label-fold', HTMLElement).hidden = contents?.medium === 'audio';
    models.offer(opened.medium, opened.models);
  }

  return {
    clear() {
      file = undefined;
      reset();
    },
    show(opened) {
      file = opened;
      section.hidden = !opened;
      if (opened) {
        const options = opened.columns.map(({ name }, i) => markup`<option value="${i}">${name}</option>`);
        goal.value = opened.guess.goal;
        showContents(opened);
        element('second-column', HTMLSelectElement).innerHTML =
          markup`<option value="">none</option>${opened.contents ? [] : options}`.text;
        for (const [side, select] of [input, target].entries()) {
          select.innerHTML = markup`${options}`.text;
          select.value = `${opened.guess.at[side]}`;
        }
        header.checked = opened.hasHeader === true;
        element('header-field', HTMLElement).hidden = opened.hasHeader === undefined;
        element('file-facts', HTMLElement).textContent = describeFile(opened);
      }
      void weigh();
    },
    lock(locked) {
      isLocked = locked;
      setReady(isReady);
    },
  };
}

/** Whether the columns are files and their folders, without a choice. */
function isFolder({ contents, columns }: OpenedFile): boolean {
  return contents !== undefined && columns.length <= 2 && columns[0]!.name === contents.medium;
}

function describeFile(opened: OpenedFile): string {
  const { fileName, rows, columns, ragged, notice, contents } = opened;
  if (contents && isFolder(opened))
    return `${fileName}: ${countedNoun(rows, NOUNS[contents.medium])}.${notice === undefined ? '' : ` ${notice}`}`;
  const left = ragged > 0 ? ` Skipped: ${countedNoun(ragged, 'row')} with another number of fields.` : '';
  return `${fileName}: ${countedNoun(rows, 'row')} of ${countedNoun(columns.length, 'column')}.${left}${notice === undefined ? '' : ` ${notice}`}`;
}

function preview({ columns, preview }: OpenedFile, at: readonly number[]): Markup {
  const chosen = (i: number) => at.includes(i) && markup` class="chosen"`;
  const head = columns.map(({ name }, i) => markup`<th scope="col"${chosen(i)}>${name}</th>`);
  const rows = preview.map((row) => markup`<tr>${row.map((field) => markup`<td>${field}</td>`)}</tr>`);
  return markup`<div class="scroll" tabindex="0" role="group" aria-label="The first rows"><table class="preview"><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Frames for some files of each class. Their paths are the alternative texts. */
function examples(classes: NonNullable<OpenedFile['contents']>['examples']): Markup {
  return markup`<div class="classes">${classes.map(
    ([label, paths]) =>
      markup`<figure><figcaption><b>${label}</b></figcaption><div class="thumbnails">${paths.map((path) => markup`<img alt="${path}">`)}</div></figure>`,
  )}</div>`;
}

function describeChoice(choice: Choice, noun: string, targets: string): Markup {
  const { leftOut, trainRows, heldOutRows } = choice;
  const judged =
    heldOutRows > 0
      ? `${counted(heldOutRows)} held out for evaluation`
      : 'each also predicted by a model that has not seen it';
  const { empty, repeated } = leftOut;
  const left = [
    ...(empty > 0 ? [`${counted(empty)} with an empty field`] : []),
    ...(repeated > 0 ? [countedNoun(repeated, 'duplicate')] : []),
  ];
  const out = left.length > 0 ? ` Removed: ${left.join(', ')}.` : '';
  const content =
    'labels' in choice
      ? describeLabels(choice.labels)
      : markup`<p>${countedNoun(choice.answers, `different ${targets}`)}.</p>`;
  return markup`${content}<p>${countedNoun(trainRows, noun)} to train on, ${judged}.${out}</p>`;
}

function describeLabels(labels: readonly [label: string, rows: number][]): Markup {
  const most = labels[0]![1];
  const bars = labels.slice(0, MAX_LISTED).map(([label, rows]) => ({
    label,
    share: rows / most,
    value: counted(rows),
  }));
  const more =
    labels.length > MAX_LISTED &&
    markup`<p>and ${countedNoun(labels.length - MAX_LISTED, 'more label')}.</p>`;
  return markup`${labelBars(bars)}${more}`;
}
