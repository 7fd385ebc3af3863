// What a window shows: the state that the process gave, and what was done since. Doing something twice changes nothing,
// so that it does not matter which of it the state holds already.

export function fold(state, pending) {
  const view = {
    queue: [...state.queue],
    history: [...state.history],
    looks: [...state.looks],
    left: state.left,
    labeled: state.labeled,
    unknown: state.unknown,
    numLooks: state.num_looks,
    audit: { ...state.audit },
    classes: state.classes.map((one) => ({ ...one })),
  };
  for (const operation of pending) STEPS[operation.kind](view, operation);
  return view;
}

const STEPS = {
  answer(view, { picture, label, when }) {
    const at = picture.position;
    if (view.history.some((one) => same(one, at, when))) return;
    const wasAsked = drop(view.queue, at);
    const again = !wasAsked && view.history.some((one) => one.picture.position === at);
    if (drop(view.looks, at)) view.numLooks -= 1;
    view.history.unshift({ picture, label, when, again });
    if (!again) count(view, picture, label, 1);
  },
  back(view, { position, of }) {
    const place = view.history.findIndex((one) => same(one, position, of));
    if (place < 0) return;
    const [gone] = view.history.splice(place, 1);
    if (gone.again) return;
    view.queue.unshift(gone.picture);
    count(view, gone.picture, gone.label, -1);
  },
  later(view, { picture }) {
    if (!drop(view.queue, picture.position)) return;
    const others = picture.audit ? view.queue.findLastIndex((one) => one.audit) + 1 : 0;  // of the audit set
    view.queue.splice(others || view.queue.length, 0, picture);
  },
  class(view, { name, key }) {
    const known = view.classes.find((one) => one.name === name);
    if (known) known.key = key ?? known.key;
    else view.classes.push({ name, key, count: 0 });
  },
};

function same(one, position, when) {
  return one.picture.position === position && Date.parse(one.when) === Date.parse(when);
}

function drop(list, position) {
  const place = list.findIndex((one) => one.position === position);
  if (place >= 0) list.splice(place, 1);
  return place >= 0;
}

function count(view, picture, label, sign) {
  view.labeled += sign;
  view.left -= sign;
  if (picture.audit) view.audit.labeled += sign;
  const known = view.classes.find((one) => one.name === label);
  if (known) known.count += sign;
  else if (label === null) view.unknown += sign;
}
