import { counted, duration, short } from '../format.ts';
import { Markup, markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import { methodTitle, type RunRecord } from '../run/run-record.ts';
import { htmlPage, joinScripts } from './page.ts';
import { pageScript } from './page-script.ts';
import { part } from './section.ts';
import { reportTitle, runState } from './sections/summary.ts';
import { listSections, sectionMarkup } from './sections.ts';

/* The following functions run in the page. They are sent as text, so they must not use anything outside themselves. */

/**
 * Keeps a live page up to date: dispatches the sections that the server sends as events. The browser reconnects until
 * the server says that the run has ended.
 */
function liveScript(): void {
  const connection = document.getElementById('connection')!;
  const source = new EventSource('events');

  source.addEventListener('section', ({ data }) => {
    document.dispatchEvent(new CustomEvent('section', { detail: JSON.parse(data) }));
  });
  source.addEventListener('end', () => {
    source.close();
    connection.textContent = 'The run is over. This page is no longer updated.';
  });
  source.onopen = () => {
    connection.textContent = '';
  };
  source.onerror = () => {
    connection.textContent = 'No connection to the run. Trying again.';
  };
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches('.stop')) return;
    event.preventDefault();
    const button = form.querySelector('button')!;
    button.disabled = true;
    fetch('stop', { method: 'POST' }).then(
      (response) => {
        button.disabled = response.ok;
      },
      () => {
        button.disabled = false;
      },
    );
  });
}

/**
 * Replaces changed sections of the page. A `section` event on the document has the section's `id` and new `html` in its
 * `detail`. An `update` event follows.
 */
export function sectionScript(): void {
  function replace(id: string, html: string): void {
    const old = document.getElementById(id);
    const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById(id);
    if (!old || !fresh) return;
    const parts = (element: Element) => [...element.querySelectorAll<HTMLElement>('[data-part]')];
    const names = (element: Element) =>
      parts(element)
        .map(({ dataset }) => dataset.part)
        .join();
    if (names(old) !== names(fresh)) {
      old.replaceWith(document.adoptNode(fresh));
      return;
    }
    // Only changed parts are replaced, so that a slider in use, a selection or a tooltip stays.
    const current = parts(old);
    parts(fresh).forEach((part, i) => {
      if (part.innerHTML !== current[i]!.innerHTML) current[i]!.replaceChildren(...part.childNodes);
    });
  }

  document.addEventListener('section', (event) => {
    const { id, html } = (event as CustomEvent<{ id: string; html: string }>).detail;
    replace(id, html);
    document.dispatchEvent(new Event('update'));
  });
}

/** The progress of an active run: `Step 3 of 40 · loss 0.52 · 98 examples per second · 12.0 s left`. */
export function stepLine({ start, step, steps }: RunRecord, secondsLeft: number): string {
  const last = steps.at(-1);
  return [
    `Step ${counted(step)} of ${counted(start?.total_steps ?? step)}`,
    ...(last ? [`loss ${short(last.loss)}`, `${short(last.examples_per_second)} examples per second`] : []),
    ...(Number.isFinite(secondsLeft) ? [`${duration(secondsLeft)} left`] : []),
  ].join(' · ');
}

export const LIVE_SCRIPT = joinScripts(pageScript, sectionScript, liveScript);

/** The content of a live page besides the report. */
export interface LiveState {
  record: RunRecord;
  /** Whether the user has requested a stop. */
  isStopping: boolean;
  /** Remaining time of the run. NaN before it is known. */
  secondsLeft: number;
  /** Why the run ended without a result. */
  failure?: string;
}

/** A section of a live page. `id` is its element's id. */
export interface LiveSection {
  id: string;
  html: string;
}

/** All sections of a live page: the run's state, then the report's sections. */
export function liveSections(state: LiveState): LiveSection[] {
  const groups = groupRecord(state);
  return [
    { id: 'status', html: status(state, reportTitle(groups)).text },
    ...listSections(groups).map((section) => ({ id: section.id, html: sectionMarkup(section).text })),
  ];
}

/** The element in which the page's script shows whether the server is connected. */
const CONNECTION = '<p id="connection" class="note" role="status"></p>';

/** The live page in its current state. Its script applies later changes. */
export function livePage(state: LiveState, policy: string): string {
  const [head, ...sections] = liveSections(state).map(({ html }) => html);
  const title = `${reportTitle(groupRecord(state))}, live`;
  const text = [head, CONNECTION, '<main class="one">', ...sections, '</main>'].join('\n');
  const body = new Markup(text);
  return htmlPage({ title, policy, body, script: LIVE_SCRIPT });
}

function groupRecord({ record }: LiveState): RunGroup[] {
  return [{ label: methodTitle(record.facts), runs: [record] }];
}

function status({ record, isStopping, secondsLeft, failure }: LiveState, title: string): Markup {
  const isOver = record.finish !== undefined || failure !== undefined;
  const button = isOver
    ? undefined
    : markup`<form class="stop" method="post" action="stop"><button${isStopping && markup` disabled`}>${isStopping ? 'Stopping' : 'Stop'}</button></form>`;
  const total = record.start?.total_steps ?? 1;
  return markup`<section id="status"><h1>${title}</h1>${part('status-stop', button)}${part(
    'status-line',
    markup`<p class="lead">${formatLine(record, isStopping, secondsLeft, failure)}</p><progress max="${total}" value="${record.step}" aria-label="Steps taken"></progress>`,
  )}</section>`;
}

function formatLine(record: RunRecord, isStopping: boolean, secondsLeft: number, failure?: string): string {
  const { start, step, finish } = record;
  if (failure !== undefined) return `The run failed: ${failure}`;
  if (finish?.reason === 'stopped')
    return `Stopped at step ${counted(step)} with a checkpoint. To continue, run the same command with --resume.`;
  if (finish) return `The run is over: ${runState(record)} after ${duration(finish.train_runtime)}.`;
  if (!start) return 'Loading model and data.';
  const line = stepLine(record, secondsLeft);
  return isStopping ? `${line} · finishing the step and writing a checkpoint` : line;
}
