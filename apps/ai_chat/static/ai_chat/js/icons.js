/** Drawings on a 24 x 24 board, as the data of one stroked path each. */

const CIRCLE = "M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0";
const THUMB = "M7.5 11L11 4c1.5 0 2.5 1 2.5 2.5V10h4.3a1.7 1.7 0 0 1 1.7 2l-1.2 6a1.7 1.7 0 0 1-1.7 1.4H7.5zM7.5 11H4.5v8.4h3";

export const PATHS = {
  again: "M19 12a7 7 0 1 1-2.2-5.1M19.5 3.5v4h-4",
  // Turned round by the style.
  bad: THUMB,
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: `${CIRCLE}M12 7.5V12l3 2`,
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10.5v10.5H9zM15 4.5H4.5V15",
  // <page>
  edit: "M4.5 19.5l.8-4L16 4.8a1.8 1.8 0 0 1 2.5 0l.7.7a1.8 1.8 0 0 1 0 2.5L8.5 18.7z",
  delete: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  previous: "M14.5 6l-6 6 6 6",
  // </page>
  good: THUMB,
  info: `${CIRCLE}M12 11v5.5M12 7.6v.2`,
  next: "M9.5 6l6 6-6 6",
  seal: "M12 3.5l7 2.7v5.3c0 4.3-2.9 7.6-7 9-4.1-1.4-7-4.7-7-9V6.2zM8.7 12l2.4 2.4 4.3-4.6",
};
