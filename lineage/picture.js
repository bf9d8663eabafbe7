'use strict';
(() => {
  const svg = document.getElementById('picture');
  const boxes = new Map([...svg.querySelectorAll('a.node')].map(box => [box.dataset.table, box]));
  const arrows = [...svg.querySelectorAll('path')].map(path => ({path, from: path.dataset.from, to: path.dataset.to}));
  const find = document.getElementById('find'), only = document.getElementById('only');
  const said = document.getElementById('said'), first = said.textContent;
  const home = new Map([...boxes].map(([table, box]) => [table, box.getAttribute('transform').match(/\d+/g).map(Number)]));
  const paths = new Map(arrows.map(arrow => [arrow, arrow.path.getAttribute('d')]));
  const texts = new Map([...boxes].map(([table]) => {
    const columns = document.getElementById('t-' + table).querySelectorAll('td:first-child');
    return [table, [table, ...[...columns].map(cell => cell.firstChild.textContent)].join('\n').toLowerCase()];
  }));
  const states = ['chosen', 'up', 'down', 'found'];

  function clear() {
    svg.classList.remove('busy');
    for (const box of boxes.values()) box.classList.remove(...states, 'gone');
    for (const arrow of arrows) arrow.path.classList.remove(...states, 'gone');
    said.textContent = first;
  }

  // walk marks all that can be reached from a table in one direction.
  function walk(table, start, end, state) {
    const seen = new Set([table]);
    for (const at of seen) {
      for (const arrow of arrows) {
        if (arrow[start] !== at) continue;
        arrow.path.classList.add(state);
        if (!seen.has(arrow[end])) boxes.get(arrow[end]).classList.add(state);
        seen.add(arrow[end]);
      }
    }
    return seen.size - 1;
  }

  // settle shows all, or only what is marked, closed up.
  function settle() {
    const busy = svg.classList.contains('busy'), closed = only.checked && busy;
    const shown = new Map(), next = new Map();
    const inOrder = [...home].sort((a, b) => a[1][1] - b[1][1]);
    for (const [table, [x, y]] of inOrder) {
      const box = boxes.get(table);
      const hidden = closed && !states.some(state => box.classList.contains(state));
      box.classList.toggle('gone', hidden);
      if (hidden) continue;
      const line = next.get(x) || 44;
      next.set(x, line + 28);
      shown.set(table, closed ? [x, line] : [x, y]);
      box.setAttribute('transform', `translate(${shown.get(table)})`);
    }
    for (const arrow of arrows) {
      const from = shown.get(arrow.from), to = shown.get(arrow.to);
      arrow.path.classList.toggle('gone', !from || !to || (closed && !states.some(state => arrow.path.classList.contains(state))));
      if (!closed) { arrow.path.setAttribute('d', paths.get(arrow)); continue; }
      if (from && to) arrow.path.setAttribute('d', `M${from[0] + 216} ${from[1] + 11}C${from[0] + 256} ${from[1] + 11} ${to[0] - 40} ${to[1] + 11} ${to[0]} ${to[1] + 11}`);
    }
    const height = closed ? Math.max(...next.values()) + 44 : svg.viewBox.baseVal.height;
    svg.style.height = closed ? height + 'px' : '';
    svg.setAttribute('preserveAspectRatio', 'xMinYMin slice');
  }

  function choose(table) {
    clear();
    svg.classList.add('busy');
    boxes.get(table).classList.add('chosen');
    const up = walk(table, 'to', 'from', 'up'), down = walk(table, 'from', 'to', 'down');
    said.textContent = `${table}: made of ${up}, read by ${down} tables`;
    document.getElementById('t-' + table).open = true;
    settle();
  }

  function search() {
    clear();
    const wanted = find.value.trim().toLowerCase();
    if (wanted) {
      svg.classList.add('busy');
      let count = 0;
      for (const [table, text] of texts) {
        if (text.includes(wanted)) { boxes.get(table).classList.add('found'); count++; }
      }
      said.textContent = `${count} tables have “${wanted}” in their name or columns`;
    }
    settle();
  }

  svg.addEventListener('click', event => {
    const box = event.target.closest('a.node');
    if (!box) return;
    event.preventDefault();
    choose(box.dataset.table);
  });
  document.addEventListener('click', event => { // a link opens what it leads to
    const link = event.target.closest('main a[href^="#t-"]');
    if (link) choose(decodeURIComponent(link.getAttribute('href')).slice(3));
  });
  find.addEventListener('input', search);
  find.addEventListener('keydown', event => {
    const hit = [...boxes.values()].find(box => box.classList.contains('found'));
    if (event.key === 'Enter' && hit) choose(hit.dataset.table);
  });
  only.addEventListener('change', settle);
  function reset() { find.value = ''; only.checked = false; clear(); settle(); }
  document.getElementById('clear').addEventListener('click', reset);
  document.addEventListener('keydown', event => { if (event.key === 'Escape') reset(); });
  for (const part of document.querySelectorAll('.script')) part.hidden = false;
  const start = decodeURIComponent(location.hash).slice(3);
  if (boxes.has(start)) choose(start);
})();
