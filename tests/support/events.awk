# A small shop as CSV, the same for the same -v n= and -v seed=: Zipf-like items, repeats, duplicates, late and broken rows.
function draw(k) { state = (state * 1103515245 + 12345) % 2147483648; return int(state / 65536) % k }
BEGIN {
    state = seed + 1
    print "ts_ms,event_type,user_id,item_id,category,rating,price,text_or_title"
    split("click click click cart purchase purchase review return", kinds, " ")
    time = 1600000000000
    for (i = 0; i < n; i++) {
        time += draw(3000)
        kind = kinds[1 + draw(8)]
        item = int(draw(30) * draw(30) / 3)
        user = draw(400)
        at = time
        if (draw(50) == 0) at -= draw(90000) * 2000          # late now and then
        row = sprintf("%.0f,%s,u%d,i%d,c%d,%s,%d.%02d,\"thing, no \"\"%d\"\"\"", at, kind, user, item, item % 7,
                      kind == "review" ? 1 + draw(5) : "", item % 50, draw(100), item)
        if (draw(200) == 0) row = "broken row " i
        if (draw(300) == 0) sub(/,u[0-9]+,/, ",,", row)      # no user
        print row
        if (draw(100) == 0) print row                         # twice
    }
}
