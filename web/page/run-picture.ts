import { listSections, sectionMarkup } from '../../src/studies/report/page/sections.ts';
import { methodTitle, type RunRecord } from '../../src/studies/report/run/run-record.ts';

/** The sections of the report to show, in this order. `FOLDED` sections are collapsed below. */
const SHOWN = ['classes', 'ranks', 'curves'];
const FOLDED = ['importance', 'factors', 'optimisation', 'cost', 'settings', 'notes'];
/** Minimum time between two updates, in milliseconds. */
const PICTURE_MS = 500;
/** Maximum share of time for drawing. */
const DRAWING_SHARE = 0.1;

/** Draws the report of an active run into an element. The report's scripts make it interactive. */
export class RunPicture {
  readonly #record: RunRecord;
  readonly #drawn = new Map<string, string>();
  #timer: number | undefined;
  #interval = PICTURE_MS;

  constructor(place: HTMLElement, record: RunRecord) {
    this.#record = record;
    const empty = (ids: readonly string[]) =>
      ids.map((id) => `<section id="${id}" hidden></section>`).join('');
    place.innerHTML = `${empty(SHOWN)}<details><summary>More of the run</summary>${empty(FOLDED)}</details>`;
  }

  /** Call it when the record has changed. */
  changed(): void {
    this.#timer ??= window.setTimeout(() => this.draw(), this.#interval);
  }

  draw(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
    const startedAt = performance.now();
    const { facts } = this.#record;
    for (const section of listSections([{ label: methodTitle(facts), runs: [this.#record] }])) {
      const { id } = section;
      const old = document.getElementById(id);
      const html = sectionMarkup(section).text;
      if (!old || html === this.#drawn.get(id)) continue;
      // A slider in use, a tooltip or a selection stays until the pointer leaves.
      if (old.matches(':hover, :focus-within')) {
        this.changed();
        continue;
      }
      this.#drawn.set(id, html);
      old.outerHTML = html;
      // The report's script redraws its sliders.
      document.dispatchEvent(new Event('update'));
    }
    this.#interval = Math.max(PICTURE_MS, (performance.now() - startedAt) / DRAWING_SHARE);
  }
}
