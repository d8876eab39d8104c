/** The owner's picture, drawn without an <img>, so that the host page's policy need not allow any. */

import { fetchFile } from "./file.js";

/** Show the picture at `address` on `canvas`: the square in its middle. */
export async function drawLogo(canvas, address) {
  try {
    const picture = await createImageBitmap(await (await fetchFile(address)).blob());
    const side = Math.min(picture.width, picture.height);
    const { width, height } = canvas;
    canvas.getContext("2d").drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, width, height);
    canvas.hidden = false;
  } catch {
    // The name says enough.
  }
}
