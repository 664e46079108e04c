() => {
  // WCAG 2.2 §1.4.3: the contrast of all text that is seen, against what lies behind it.
  const channels = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const seen = (color) => color.length === 3 || color[3] > 0;
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    const band = element.tagName === "text" && element.closest("svg.band");
    if (band) return channels(getComputedStyle(band.querySelector("rect")).fill);
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length && seen(color)) return color;
    }
    return [255, 255, 255];
  };
  const least = (style) => {
    const size = parseFloat(style.fontSize);
    return size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  };
  const faults = [];
  const judge = (element, style, color, text) => {
    const found = ratio(channels(color), behind(element));
    if (found < least(style)) faults.push(`${found.toFixed(2)} ${element.tagName} ${text}`);
  };
  let count = 0;
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const style = getComputedStyle(element);
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent.trim())
      .join(" ")
      .trim();
    if (text && element.tagName !== "title") {
      count += 1;
      judge(element, style, element.tagName === "text" ? style.fill : style.color, text);
    }
    if (element.placeholder) {
      judge(element, style, getComputedStyle(element, "::placeholder").color, element.placeholder);
    }
  }
  return { count, faults };
}
