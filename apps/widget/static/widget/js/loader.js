/**
 * What the tag loads: it takes the page's commands, finds out whose chat this is, and fetches the
 * rest. A classic script, because tags are combined, delayed and put anywhere.
 */
((servedBase, version, servedSite) => {
  const isTag = (script) => /\/w\/(v1|[\w.-]+\/w)\.js/.test(script?.src);
  const scripts = [document.currentScript, ...document.scripts];
  const tag = scripts.find(isTag) ?? scripts.find((script) => script?.dataset.site);
  const base = isTag(tag) ? tag.src.split("/w/")[0] : servedBase;
  const early = window.Corral;
  // The tag stands twice: the first one does the work.
  if (early?.version) return;
  const corral = (...command) => new Promise((resolve, reject) => {
    // Only a click or a key may send in the visitor's name; asked now, before anything is fetched.
    corral.q.push(Object.assign(command, { resolve, reject, isGesture: navigator.userActivation?.isActive }));
    corral.wake?.();
  });
  window.Corral = Object.assign(corral, { q: early?.q ?? [], version });
  import(`${base}/w/${version}/launcher.js`).then(
    ({ start }) => start({ base, version, site: servedSite, ...tag?.dataset }),
    (error) => console.warn("Corral: no chat.", error),
  );
})("__BASE__", "__VERSION__", "__SITE__");
