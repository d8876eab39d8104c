/** The owner's picture, drawn without an <img>, so that the host page's policy need not allow any. */

/** Show the picture at `address` on `canvas`; the style cuts a square out of its middle. */
export async function drawLogo(canvas, address) {
  try {
    const picture = await createImageBitmap(await (await fetch(address)).blob());
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    canvas.hidden = false;
  } catch {
    // The name says enough.
  }
}
