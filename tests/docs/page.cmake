cmake_minimum_required(VERSION 3.25)

# page_lines(<variable> <file>): a text file as a list of lines. What means
# something to CMake in a list is replaced; page_text() puts it back.
string(ASCII 1 PAGE_SEMICOLON)
string(ASCII 2 PAGE_OPEN)
string(ASCII 3 PAGE_CLOSE)
string(ASCII 4 PAGE_BACKSLASH)

function(page_lines variable file)
    file(READ ${file} text)
    string(REPLACE "\\" "${PAGE_BACKSLASH}" text "${text}")
    string(REPLACE ";" "${PAGE_SEMICOLON}" text "${text}")
    string(REPLACE "[" "${PAGE_OPEN}" text "${text}")
    string(REPLACE "]" "${PAGE_CLOSE}" text "${text}")
    string(REPLACE "\n" ";" text "${text}")
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()

function(page_text variable text)
    string(REPLACE "${PAGE_SEMICOLON}" ";" text "${text}")
    string(REPLACE "${PAGE_OPEN}" "[" text "${text}")
    string(REPLACE "${PAGE_CLOSE}" "]" text "${text}")
    string(REPLACE "${PAGE_BACKSLASH}" "\\" text "${text}")
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()
