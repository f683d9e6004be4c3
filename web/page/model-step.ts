import { markup } from '../../src/studies/report/markup.ts';
import type { ChosenFile } from '../data/read-chosen.ts';
import type { Medium } from '../data/row-files.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';
import type { ChosenSettings, OfferedModel } from '../worker/messages.ts';
import { element, withPath } from './element.ts';
import { fileSize, MODEL_WORDS, MODELS_CHANNEL } from './goal-words.ts';

/** The values of the choices that are not names of models. Names have no spaces. */
const [BUILT_IN, OWN] = ['the built-in one', 'own files'];

export interface ModelStep {
  /** Offers the models that read a medium. */
  offer(medium: Medium, models: readonly OfferedModel[]): void;
  /** Takes the files of a model. Returns false for other files. */
  take(chosen: readonly ChosenFile[]): boolean;
  /** The chosen model. Undefined for the built-in encoder. */
  model(): ChosenSettings['model'];
}

/** The choice of a model: the built-in encoder, one that the page has, or the user's files, which are checked at once. */
export function modelStep(desk: RemoteDesk): ModelStep {
  const choice = element('model-choice', HTMLSelectElement);
  const [name, files, folder] = ['model-name', 'model-files', 'model-folder'].map((id) =>
    element(id, HTMLInputElement),
  ) as [HTMLInputElement, HTMLInputElement, HTMLInputElement];
  const [line, problem] = [element('served-model', HTMLElement), element('model-problem', HTMLElement)];
  let medium: Medium | undefined;
  let models: readonly OfferedModel[] = [];
  let chosen: readonly ChosenFile[] = [];
  let checked: Record<string, Blob> | undefined;
  /** The name before the user types one. */
  let guess = '';
  let turn = 0;

  const isOwn = () => choice.value === OWN;

  function show(): void {
    element('model-chooser', HTMLElement).hidden = !isOwn();
    name.required = isOwn();
    // Its files may have come from the folder's field, or have been dropped.
    files.required = isOwn() && chosen.length === 0;
    const offered = models.find((model) => model.name === choice.value);
    line.textContent = offered
      ? `Trained model: ${offered.name}, which is ${offered.isKept ? 'kept in this browser' : 'served with this page'} (${fileSize(offered.bytes)}).`
      : isOwn() && checked
        ? `Trained model: ${fileSize(Object.values(checked).reduce((sum, { size }) => sum + size, 0))} in your files.`
        : '';
    tell(isOwn() ? problem.textContent : '');
  }

  /** Shows an error. Until it is solved, the form cannot be sent. */
  function tell(message: string): void {
    problem.textContent = message;
    files.setCustomValidity(message);
  }

  async function check(): Promise<void> {
    const mine = ++turn;
    checked = undefined;
    tell('');
    if (medium && chosen.length > 0) {
      try {
        const found = await desk.checkModel(chosen, medium);
        if (mine === turn) checked = found;
      } catch (error) {
        if (mine === turn) tell((error as Error).message);
      }
    }
    if (mine === turn) show();
  }

  function give(given: readonly ChosenFile[]): void {
    chosen = given;
    const [root, ...below] = given[0]?.path.split('/') ?? [];
    // The folder's name, unless the user has typed another.
    if (name.value === guess) name.value = below.length > 0 ? root! : '';
    guess = name.value;
    void check();
  }

  choice.addEventListener('change', show);
  for (const input of [files, folder])
    input.addEventListener('change', () => give([...(input.files ?? [])].map(withPath)));
  name.addEventListener('input', () => {
    element('model-command', HTMLElement).textContent = `npx adalora web --model ${name.value}`;
  });

  function offer(of: Medium, offered: readonly OfferedModel[]): void {
    const earlier = choice.value;
    const isNew = of !== medium;
    [medium, models] = [of, offered];
    const options = [
      ...(of === 'text' ? [[BUILT_IN, 'the built-in encoder']] : []),
      ...offered.map((model) => [model.name, model.name]),
      [OWN, 'your own files'],
    ];
    choice.innerHTML =
      markup`${options.map(([value, words]) => markup`<option value="${value}">${words}</option>`)}`.text;
    const known = options.some(([value]) => value === earlier);
    if (chosen.length > 0) choice.value = OWN;
    else choice.value = known && !isNew ? earlier : (offered[0]?.name ?? options[0]![0]!);
    if (isNew) {
      const words = MODEL_WORDS[of];
      element('model-files-name', HTMLElement).textContent = words.files;
      element('model-link', HTMLAnchorElement).href = `https://huggingface.co/${words.example}/tree/main`;
      element('model-command', HTMLElement).textContent = `npx adalora web --model ${words.example}`;
      name.placeholder = words.example;
      void check();
    }
    show();
  }

  // Another tab has kept or deleted a model.
  new BroadcastChannel(MODELS_CHANNEL).addEventListener('message', async ({ data }) => {
    if (!medium) return;
    offer(medium, await desk.models(medium));
    if (!models.some((model) => model.name === data)) return;
    choice.value = data;
    show();
  });

  return {
    offer,
    take(given) {
      const names = given.map(({ file }) => file.name);
      const weights = names.filter((each) => each.endsWith('.safetensors'));
      if (weights.length === 0 || !names.includes('config.json')) return false;
      element('model-given', HTMLElement).textContent = `The model is chosen: ${weights.join(', ')}.`;
      if (medium) choice.value = OWN;
      give(given);
      return true;
    },
    model() {
      if (choice.value === BUILT_IN) return undefined;
      if (!isOwn()) return { name: choice.value };
      const raw = Object.fromEntries(chosen.map(({ file }) => [file.name, file]));
      return { name: name.value.trim(), files: checked ?? raw };
    },
  };
}
