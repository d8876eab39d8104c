/** Drawings on a 24 x 24 board, as the data of one stroked path each. */

const CIRCLE = "M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0";
const THUMB = "M7 11l4-7q3 0 3 3v3h6l-2 9H4v-8h3v8";

export const PATHS = {
  again: "M19 12a7 7 0 1 1-2-5l2 2M19 5v4h-4",
  // Turned round by the style.
  bad: THUMB,
  check: "M5 12l5 5 9-10",
  clock: `${CIRCLE}M12 7v5l3 2`,
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM15 4H4v11",
  // <page>
  edit: "M4.5 19.5l.8-4L16 4.8a1.8 1.8 0 0 1 2.5 0l.7.7a1.8 1.8 0 0 1 0 2.5L8.5 18.7z",
  delete: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  previous: "M15 6l-6 6 6 6",
  // </page>
  good: THUMB,
  info: `${CIRCLE}M12 11v5M12 8v.01`,
  next: "M9 6l6 6-6 6",
  seal: "M12 3l7 3v6q0 6-7 9-7-3-7-9V6zM9 12l2 2 4-4",
};
