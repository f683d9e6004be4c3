import type { RankFrames } from './sections/ranks.ts';

/* Runs in the page. It is sent as text, so it must not use anything outside itself. */

/** Runs the page's sliders and downloads. An `update` event on the document says that a part of the page is new. */
export function pageScript(): void {
  function show(map: Element): void {
    const input = map.querySelector<HTMLInputElement>('input[type=range]');
    if (!input) return;
    const frames = JSON.parse(map.querySelector('script')!.textContent!) as RankFrames;
    input.parentElement!.hidden = false;
    const index = Number(input.value);
    const text = `${frames.steps[index]!.toLocaleString('en')}: ${frames.budgets[index]!.toLocaleString('en')} ${frames.components}`;
    map.querySelector('output')!.textContent = text;
    input.setAttribute('aria-valuetext', `step ${text}`);
    for (const cell of map.querySelectorAll<SVGElement>('.wide [data-i]')) {
      const value = frames.values[index]![Number(cell.dataset.i)]!;
      if (cell.matches('.mean')) {
        cell.textContent = value.toFixed(1);
        continue;
      }
      const number = Number.isInteger(value) ? `${value}` : value.toFixed(1);
      const shade = frames.largest > 0 ? Math.round((frames.shades * value) / frames.largest) : 0;
      cell.setAttribute('class', `cell h${shade}`);
      cell.querySelector('text')!.textContent = number;
      const title = cell.querySelector('title')!;
      title.textContent = (title.textContent ?? '').replace(/\S+$/, number);
    }
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
    for (const map of document.querySelectorAll('[data-slides]')) show(map);
    for (const link of document.querySelectorAll<HTMLElement>('.download')) link.hidden = false;
  }

  document.addEventListener('input', ({ target }) => {
    const map = (target as Element).closest('[data-slides]');
    if (map) show(map);
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
