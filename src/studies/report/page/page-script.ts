import type { RankFrames } from './sections/ranks.ts';

/* Runs in the page. It is sent as text, so it must not use anything outside itself. */

/**
 * Runs the page's sliders and downloads. An `update` event on the document redraws them after a part of the page was
 * replaced. A slider at its end follows new data; other sliders keep their position.
 */
export function pageScript(): void {
  const sliders = new WeakMap<Element, { atEnd: boolean }>();

  function show(map: HTMLElement): void {
    const input = map.querySelector<HTMLInputElement>('input[type=range]');
    const data = map.querySelector('script')?.textContent;
    if (!input || !data) return;
    const frames = JSON.parse(data) as RankFrames;
    const last = frames.steps.length - 1;
    const state = sliders.get(map) ?? { atEnd: true };
    input.max = `${last}`;
    if (state.atEnd) input.value = `${last}`;
    sliders.set(map, state);
    input.parentElement!.hidden = last < 1;
    const index = Math.min(last, Number(input.value));
    const [step, values] = [frames.steps[index], frames.values[index]];
    const text = `${step!.toLocaleString('en')}: ${frames.budgets[index]!.toLocaleString('en')} ${frames.components}`;
    map.querySelector('output')!.textContent = text;
    input.setAttribute('aria-valuetext', `step ${text}`);
    for (const cell of map.querySelectorAll<SVGElement>('.wide [data-i]')) {
      const value = values![Number(cell.dataset.i)]!;
      if (value === null) continue;
      if (cell.matches('.mean')) {
        cell.textContent = value.toFixed(1);
        continue;
      }
      const number = Number.isInteger(value) ? `${value}` : value.toFixed(1);
      const shade = frames.largest > 0 ? Math.round((frames.shades * value) / frames.largest) : 0;
      cell.setAttribute('class', `cell h${Math.min(frames.shades, shade)}`);
      cell.querySelector('text')!.textContent = number;
      const title = cell.querySelector('title')!;
      title.textContent = (title.textContent ?? '').replace(/\S+$/, number);
    }
    for (const part of map.querySelectorAll<SVGElement>('.means [data-i]')) {
      const value = values![Number(part.dataset.i)] ?? 0;
      if (part.matches('text')) part.textContent = value.toFixed(1);
      else part.setAttribute('width', `${Number(part.dataset.unit) * value}`);
    }
    showImportance(map, step!, frames.importance);
  }

  function showImportance(map: HTMLElement, step: number, frames: RankFrames['importance']): void {
    const chart = map.querySelector('.scores');
    if (!chart || !frames) return;
    const at = frames.at[step];
    const counts = at ? at.kept.map((kept, i) => kept + at.dropped[i]!) : [];
    const most = Math.max(1, ...counts);
    const unit = frames.height / most;
    chart.querySelector('.most')!.textContent = at ? `${most}` : '';
    for (const bin of chart.querySelectorAll<SVGElement>('.bin')) {
      const i = Number(bin.dataset.i);
      const [kept, dropped] = [at?.kept[i] ?? 0, at?.dropped[i] ?? 0];
      const [lower, upper] = [bin.querySelector('.dropped')!, bin.querySelector('.kept')!];
      lower.setAttribute('y', `${frames.base - dropped * unit}`);
      lower.setAttribute('height', `${dropped * unit}`);
      upper.setAttribute('y', `${frames.base - (dropped + kept) * unit}`);
      upper.setAttribute('height', `${kept * unit}`);
      const title = bin.querySelector('title')!;
      title.textContent = (title.textContent ?? '').replace(/:.*/, `: ${kept} kept, ${dropped} dropped`);
    }
    const line = chart.querySelector('.cut')!;
    line.setAttribute('visibility', at && at.cut !== null ? 'visible' : 'hidden');
    if (at && at.cut !== null) line.setAttribute('transform', `translate(${at.cut} 0)`);
  }

  /** Converts a picture to a file that looks the same elsewhere, with its current colors and fonts. */
  function standalone(svg: SVGElement): string {
    const copy = svg.cloneNode(true) as SVGElement;
    const from = [svg, ...svg.querySelectorAll('*')];
    const to = [copy, ...copy.querySelectorAll('*')];
    const shapes = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity'];
    const texts = ['fill', 'font-family', 'font-size', 'font-style'];
    from.forEach((element, i) => {
      if (!element.matches('text, rect, line, circle, path, polyline, polygon')) return;
      const style = getComputedStyle(element);
      for (const name of element.matches('text') ? texts : shapes)
        (to[i] as SVGElement).style.setProperty(name, style.getPropertyValue(name));
    });
    for (const stripe of copy.querySelectorAll('.stripe')) stripe.remove();
    const paper = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const box = svg.getAttribute('viewBox')!.split(' ');
    paper.setAttribute('width', box[2]!);
    paper.setAttribute('height', box[3]!);
    paper.setAttribute('fill', getComputedStyle(document.documentElement).backgroundColor);
    copy.insertBefore(paper, copy.querySelector('desc')!.nextSibling);
    return new XMLSerializer().serializeToString(copy);
  }

  function showAll(): void {
    for (const map of document.querySelectorAll<HTMLElement>('[data-slides]')) show(map);
    for (const link of document.querySelectorAll<HTMLElement>('.download')) link.hidden = false;
  }

  document.addEventListener('input', ({ target }) => {
    const map = (target as Element).closest<HTMLElement>('[data-slides]');
    const input = target as HTMLInputElement;
    if (!map) return;
    sliders.set(map, { atEnd: input.value === input.max });
    show(map);
  });
  document.addEventListener('click', ({ target }) => {
    const link = (target as Element).closest<HTMLAnchorElement>('a.download');
    const svg = link && document.getElementById(link.download.replace(/\.svg$/, ''));
    if (!link || !svg) return;
    const text = standalone(svg as unknown as SVGElement);
    link.href = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  });
  document.addEventListener('update', showAll);
  showAll();
}
