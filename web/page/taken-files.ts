import { countedNoun } from '../../src/studies/report/format.ts';
import { markup } from '../../src/studies/report/markup.ts';
import type { ChosenFile } from '../data/read-chosen.ts';
import type { RemoteDesk } from '../worker/desk-methods.ts';

/** Number of thumbnails of a class. The newest are shown. */
const MAX_SHOWN = 12;

/** Files that the user takes with the camera or the microphone, class by class. They are shown as thumbnails. */
export class TakenFiles {
  readonly #files: ChosenFile[] = [];
  readonly #shown = new Map<string, string[]>();
  #count = 0;

  constructor(
    private readonly desk: RemoteDesk,
    private readonly place: HTMLElement,
    private readonly noun: string,
  ) {}

  /** All files, each in the folder of its class. */
  get files(): ChosenFile[] {
    return [...this.#files];
  }

  get classes(): number {
    return this.#shown.size;
  }

  /** @param take takes a file with a name */
  async add(name: string, ending: string, take: (path: string) => File | Promise<File>): Promise<void> {
    // A slash would be a folder of its own.
    const label = name.trim().replaceAll('/', '-');
    // Counted before the file is taken, because the next one may be asked for meanwhile.
    const path = `${label}/${++this.#count}.${ending}`;
    const file = await take(path);
    this.#files.push({ path, file });
    const url = await this.desk.thumbnail(file);
    this.#shown.set(label, [...(this.#shown.get(label) ?? []), url]);
    this.#draw();
  }

  #draw(): void {
    const size = (label: string) => this.#files.filter(({ path }) => path.startsWith(`${label}/`)).length;
    const groups = [...this.#shown].map(
      ([label, urls]) =>
        markup`<figure><figcaption><b>${label}</b>: ${countedNoun(size(label), this.noun)}</figcaption><div class="thumbnails">${urls.slice(-MAX_SHOWN).map((url) => markup`<img src="${url}" alt="">`)}</div></figure>`,
    );
    this.place.innerHTML = markup`${groups}`.text;
  }
}
